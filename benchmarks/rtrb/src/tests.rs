//! The slices carry every message, and their receivers notice errors: `cargo test`.

use super::*;
use std::thread;

const CAPACITY: usize = 1024;
const MANY: u64 = 300_000;

/// A ring that another thread may use. It is freed at the end.
struct Shared<const WORDS: usize>(*mut Ring<WORDS>);
unsafe impl<const WORDS: usize> Sync for Shared<WORDS> {}
impl<const WORDS: usize> Shared<WORDS> {
    fn new() -> Self {
        Self(make(CAPACITY))
    }
    fn get(&self) -> *mut Ring<WORDS> {
        self.0
    }
}
impl<const WORDS: usize> Drop for Shared<WORDS> {
    fn drop(&mut self) {
        unsafe { free(self.0) };
    }
}

type Receive<const WORDS: usize> = fn(*mut Ring<WORDS>, u64, u64) -> u64;

fn receivers<const WORDS: usize>() -> [Receive<WORDS>; 3] {
    [
        |ring, first, count| unsafe { receive(ring, first, count) },
        |ring, first, count| unsafe { receive_batches(ring, first, count, 60) },
        |ring, first, count| unsafe { receive_in_place(ring, first, count, 60) },
    ]
}

fn wrong_between_two_threads<const WORDS: usize>(receiver: Receive<WORDS>, batches: bool, expected_first: u64) -> u64 {
    let ring = Shared::<WORDS>::new();
    thread::scope(|scope| {
        scope.spawn(|| unsafe {
            if batches {
                send_batches(ring.get(), 7, MANY, 64);
            } else {
                send(ring.get(), 7, MANY);
            }
        });
        receiver(ring.get(), expected_first, MANY)
    })
}

fn every_receiver_gets_all_in_order<const WORDS: usize>() {
    for receiver in receivers::<WORDS>() {
        assert_eq!(wrong_between_two_threads(receiver, false, 7), 0);
        assert_eq!(wrong_between_two_threads(receiver, true, 7), 0);
    }
}

#[test]
fn every_receiver_gets_all_in_order_in_32_bytes() {
    every_receiver_gets_all_in_order::<4>();
}

#[test]
fn every_receiver_gets_all_in_order_in_56_bytes() {
    every_receiver_gets_all_in_order::<7>();
}

#[test]
fn every_receiver_counts_each_wrong_message() {
    for receiver in receivers::<7>() {
        assert_eq!(wrong_between_two_threads(receiver, false, 8), MANY);
    }
}

#[test]
fn a_torn_message_is_wrong_by_its_last_word() {
    let mut message = Message::<7>::of(3);
    assert_eq!(message.wrong(3), 0);
    message.0[6] = !2;
    assert_eq!(message.wrong(3), 1);
}

#[test]
fn a_ping_comes_back_as_it_was() {
    let (there, back) = (Shared::<4>::new(), Shared::<4>::new());
    let wrong = thread::scope(|scope| {
        scope.spawn(|| unsafe { pong(there.get(), back.get(), 1000) });
        unsafe { ping(there.get(), back.get(), 1000) }
    });
    assert_eq!(wrong, 0);
}

#[test]
fn pushes_are_refused_at_capacity_and_a_drain_takes_all() {
    let ring = Shared::<7>::new();
    let accepted = (0..2000).filter(|&number| unsafe { push_one(ring.get(), number) }).count();
    assert_eq!(accepted, CAPACITY);
    let mut wrong = 0;
    assert_eq!(unsafe { pop_all(ring.get(), 0, &mut wrong) }, CAPACITY as u64);
    assert_eq!(wrong, 0);
    assert_eq!(unsafe { uncontended(ring.get(), 5000) }, 0);
    assert_eq!(unsafe { pop_all(ring.get(), 0, &mut wrong) }, 0);
}

#[test]
fn what_a_slice_leaves_the_next_one_finds() {
    let ring = Shared::<4>::new();
    for round in 0..3 {
        unsafe { send(ring.get(), round * 1000, 1000) };
        assert_eq!(unsafe { receive_batches(ring.get(), round * 1000, 600, 64) }, 0);
        assert_eq!(unsafe { receive_in_place(ring.get(), round * 1000 + 600, 400, 64) }, 0);
    }
}

#[test]
fn a_ring_for_nothing_is_not_made() {
    assert!(make::<4>(0).is_null());
}
