//! rtrb in slices: loops over a ring as Rust programs have them. C++ calls each once per slice (rtrb_slices.h).
//!
//! The ends of a ring are moved to the stack of the thread that runs the slice, and back at the end. So a loop has its
//! ends on its own stack, as in a Rust program. A thread that is refused spins, and does nothing else.

use core::hint::spin_loop;
use core::mem::MaybeUninit;
use core::ptr::{addr_of_mut, null_mut};
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};

#[cfg(test)]
mod tests;

/// The greatest batch: the same as rtrb_max_batch in rtrb_slices.h.
const MAX_BATCH: usize = 256;

/// The payload: a number in the first word and its complement in the last, so that a receiver notices errors.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Message<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Message<WORDS> {
    const ZERO: Self = Self([0; WORDS]);

    #[inline(always)]
    fn of(number: u64) -> Self {
        let mut words = [0; WORDS];
        words[0] = number;
        words[WORDS - 1] = !number;
        Self(words)
    }

    /// Returns 0 for the message with this number, 1 for a wrong one.
    #[inline(always)]
    fn wrong(&self, number: u64) -> u64 {
        u64::from(self.0[0] != number || self.0[WORDS - 1] != !number)
    }
}

/// An end between two slices, on cache lines of its own, so that two threads can take their ends at once.
#[repr(align(128))]
struct Resting<End>(End);

impl<End> Resting<End> {
    /// Runs `slice` with the end on this thread's stack. Safety: no other thread uses this end meanwhile. A panic
    /// aborts, so nobody sees the empty place.
    #[inline(always)]
    unsafe fn awake<Result>(place: *mut Self, slice: impl FnOnce(&mut End) -> Result) -> Result {
        let mut end = place.read();
        let result = slice(&mut end.0);
        place.write(end);
        result
    }
}

/// Both ends of one ring.
pub struct Ring<const WORDS: usize> {
    producer: Resting<Producer<Message<WORDS>>>,
    consumer: Resting<Consumer<Message<WORDS>>>,
}

/// The functions for C++; rtrb_slices.h describes them.
#[repr(C)]
pub struct Slices<const WORDS: usize> {
    make: unsafe extern "C" fn(usize) -> *mut Ring<WORDS>,
    free: unsafe extern "C" fn(*mut Ring<WORDS>),
    send: unsafe extern "C" fn(*mut Ring<WORDS>, u64, u64),
    receive: unsafe extern "C" fn(*mut Ring<WORDS>, u64, u64) -> u64,
    send_batches: unsafe extern "C" fn(*mut Ring<WORDS>, u64, u64, usize),
    receive_batches: unsafe extern "C" fn(*mut Ring<WORDS>, u64, u64, usize) -> u64,
    receive_in_place: unsafe extern "C" fn(*mut Ring<WORDS>, u64, u64, usize) -> u64,
    ping: unsafe extern "C" fn(*mut Ring<WORDS>, *mut Ring<WORDS>, u64) -> u64,
    pong: unsafe extern "C" fn(*mut Ring<WORDS>, *mut Ring<WORDS>, u64),
    push_one: unsafe extern "C" fn(*mut Ring<WORDS>, u64) -> bool,
    pop_all: unsafe extern "C" fn(*mut Ring<WORDS>, u64, *mut u64) -> u64,
    uncontended: unsafe extern "C" fn(*mut Ring<WORDS>, u64) -> u64,
}

impl<const WORDS: usize> Slices<WORDS> {
    const ALL: Self = Self {
        make: make::<WORDS>,
        free: free::<WORDS>,
        send: send::<WORDS>,
        receive: receive::<WORDS>,
        send_batches: send_batches::<WORDS>,
        receive_batches: receive_batches::<WORDS>,
        receive_in_place: receive_in_place::<WORDS>,
        ping: ping::<WORDS>,
        pong: pong::<WORDS>,
        push_one: push_one::<WORDS>,
        pop_all: pop_all::<WORDS>,
        uncontended: uncontended::<WORDS>,
    };
}

#[export_name = "rtrb_slices_32"]
pub static SLICES_32: Slices<4> = Slices::ALL;
#[export_name = "rtrb_slices_56"]
pub static SLICES_56: Slices<7> = Slices::ALL;

extern "C" fn make<const WORDS: usize>(capacity: usize) -> *mut Ring<WORDS> {
    if capacity == 0 {
        return null_mut();
    }
    let (producer, consumer) = RingBuffer::new(capacity);
    Box::into_raw(Box::new(Ring { producer: Resting(producer), consumer: Resting(consumer) }))
}

unsafe extern "C" fn free<const WORDS: usize>(ring: *mut Ring<WORDS>) {
    drop(Box::from_raw(ring));
}

#[inline(always)]
unsafe fn producing<const WORDS: usize, Result>(
    ring: *mut Ring<WORDS>,
    slice: impl FnOnce(&mut Producer<Message<WORDS>>) -> Result,
) -> Result {
    Resting::awake(addr_of_mut!((*ring).producer), slice)
}

#[inline(always)]
unsafe fn consuming<const WORDS: usize, Result>(
    ring: *mut Ring<WORDS>,
    slice: impl FnOnce(&mut Consumer<Message<WORDS>>) -> Result,
) -> Result {
    Resting::awake(addr_of_mut!((*ring).consumer), slice)
}

#[inline(always)]
fn push_waiting<T: Copy>(producer: &mut Producer<T>, message: T) {
    while producer.push(message).is_err() {
        spin_loop();
    }
}

#[inline(always)]
fn pop_waiting<T>(consumer: &mut Consumer<T>) -> T {
    loop {
        if let Ok(message) = consumer.pop() {
            return message;
        }
        spin_loop();
    }
}

unsafe extern "C" fn send<const WORDS: usize>(ring: *mut Ring<WORDS>, first: u64, count: u64) {
    producing(ring, |producer| {
        for number in first..first + count {
            push_waiting(producer, Message::of(number));
        }
    });
}

unsafe extern "C" fn receive<const WORDS: usize>(ring: *mut Ring<WORDS>, first: u64, count: u64) -> u64 {
    consuming(ring, |consumer| {
        let mut wrong = 0;
        for number in first..first + count {
            wrong += pop_waiting(consumer).wrong(number);
        }
        wrong
    })
}

/// How many messages go into the batch that begins with `number`.
#[inline(always)]
fn next_batch(number: u64, end: u64, batch: usize) -> usize {
    (end - number).min(batch.clamp(1, MAX_BATCH) as u64) as usize
}

unsafe extern "C" fn send_batches<const WORDS: usize>(ring: *mut Ring<WORDS>, first: u64, count: u64, batch: usize) {
    producing(ring, |producer| {
        let mut prepared = [Message::ZERO; MAX_BATCH];
        let mut number = first;
        while number < first + count {
            let messages = &mut prepared[..next_batch(number, first + count, batch)];
            for message in messages.iter_mut() {
                *message = Message::of(number);
                number += 1;
            }
            let mut rest = &*messages;
            loop {
                let (_, refused) = producer.push_partial_slice(rest);
                if refused.is_empty() {
                    break;
                }
                rest = refused;
                spin_loop();
            }
        }
    });
}

unsafe extern "C" fn receive_batches<const WORDS: usize>(
    ring: *mut Ring<WORDS>,
    first: u64,
    count: u64,
    batch: usize,
) -> u64 {
    consuming(ring, |consumer| {
        let mut copied = [MaybeUninit::<Message<WORDS>>::uninit(); MAX_BATCH];
        let mut wrong = 0;
        let mut number = first;
        while number < first + count {
            let room = &mut copied[..next_batch(number, first + count, batch)];
            let (messages, _) = consumer.pop_partial_slice_uninit(room);
            if messages.is_empty() {
                spin_loop();
            }
            for message in messages {
                wrong += message.wrong(number);
                number += 1;
            }
        }
        wrong
    })
}

unsafe extern "C" fn receive_in_place<const WORDS: usize>(
    ring: *mut Ring<WORDS>,
    first: u64,
    count: u64,
    batch: usize,
) -> u64 {
    consuming(ring, |consumer| {
        let mut wrong = 0;
        let mut number = first;
        while number < first + count {
            // On refusal it says how many there are, and reads the shared index only if the cached one is not enough.
            let wanted = next_batch(number, first + count, batch);
            let chunk = match consumer.read_chunk(wanted) {
                Ok(chunk) => chunk,
                Err(ChunkError::TooFewSlots(0)) => {
                    spin_loop();
                    continue;
                }
                Err(ChunkError::TooFewSlots(waiting)) => match consumer.read_chunk(waiting) {
                    Ok(chunk) => chunk,
                    Err(_) => continue,
                },
            };
            let (one, two) = chunk.as_slices();
            for message in one.iter().chain(two) {
                wrong += message.wrong(number);
                number += 1;
            }
            chunk.commit_all();
        }
        wrong
    })
}

unsafe extern "C" fn ping<const WORDS: usize>(there: *mut Ring<WORDS>, back: *mut Ring<WORDS>, count: u64) -> u64 {
    producing(there, |producer| {
        consuming(back, |consumer| {
            let mut wrong = 0;
            for number in 0..count {
                push_waiting(producer, Message::of(number));
                wrong += pop_waiting(consumer).wrong(number);
            }
            wrong
        })
    })
}

unsafe extern "C" fn pong<const WORDS: usize>(there: *mut Ring<WORDS>, back: *mut Ring<WORDS>, count: u64) {
    consuming(there, |consumer| {
        producing(back, |producer| {
            for _ in 0..count {
                let message = pop_waiting(consumer);
                push_waiting(producer, message);
            }
        });
    });
}

/// One message: the end stays where it is, because moving it there and back would be most of the cost.
unsafe extern "C" fn push_one<const WORDS: usize>(ring: *mut Ring<WORDS>, number: u64) -> bool {
    let end = &mut *addr_of_mut!((*ring).producer);
    end.0.push(Message::of(number)).is_ok()
}

unsafe extern "C" fn pop_all<const WORDS: usize>(ring: *mut Ring<WORDS>, first: u64, wrong: *mut u64) -> u64 {
    consuming(ring, |consumer| {
        let Ok(chunk) = consumer.read_chunk(consumer.slots()) else { return 0 };
        let mut number = first;
        let mut wrong_here = 0;
        let (one, two) = chunk.as_slices();
        for message in one.iter().chain(two) {
            wrong_here += message.wrong(number);
            number += 1;
        }
        chunk.commit_all();
        if wrong_here > 0 {
            *wrong += wrong_here;
        }
        number - first
    })
}

unsafe extern "C" fn uncontended<const WORDS: usize>(ring: *mut Ring<WORDS>, count: u64) -> u64 {
    producing(ring, |producer| {
        consuming(ring, |consumer| {
            let mut wrong = 0;
            for number in 0..count {
                push_waiting(producer, Message::of(number));
                wrong += pop_waiting(consumer).wrong(number);
            }
            wrong
        })
    })
}
