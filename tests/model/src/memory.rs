//! The C ABI that the ring's memory policy (loom_memory.hpp) stands on: loom's atomics and cells, and the mutants that
//! break what passes through them.
//!
//! Every function that can report is `extern "C-unwind"`: loom reports by panicking, and the panic crosses C++.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64 as PlainU64, Ordering};
use std::sync::{Mutex, OnceLock};

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU64;

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    None,
    RelaxedPublish,
    RelaxedObserve,
    /// The order at this place of ring.hpp, relaxed.
    Weakened {
        line: u32,
        column: u32,
    },
    /// This role sees the other end's index this much off.
    Skewed {
        role: u8,
        by: i64,
    },
    /// This role publishes its index before it touches the slot. With `words`, the slots are as below.
    StoresFirst {
        role: u8,
        words: bool,
    },
    /// Stores without an order come after the next one that has one: what was to be published by it comes too late.
    RelaxedStoresLate,
    /// Nothing is broken, but slots are unordered words, which loom has nothing to report about: only the messages
    /// themselves can show a mutant. This alone must be found clean.
    WordCells,
    /// Memory that loom knows nothing of: there is nothing to explore.
    Unseen,
}

pub const PRODUCER: u8 = 1;
pub const CONSUMER: u8 = 2;

impl Mutant {
    pub const STANDARD: [Mutant; 12] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::Skewed { role: PRODUCER, by: 1 },
        Mutant::Skewed { role: PRODUCER, by: -1 },
        Mutant::Skewed { role: CONSUMER, by: 1 },
        Mutant::Skewed { role: CONSUMER, by: -1 },
        Mutant::StoresFirst { role: PRODUCER, words: false },
        Mutant::StoresFirst { role: CONSUMER, words: false },
        Mutant::StoresFirst { role: PRODUCER, words: true },
        Mutant::StoresFirst { role: CONSUMER, words: true },
        Mutant::RelaxedStoresLate,
        Mutant::Unseen,
    ];
}

impl fmt::Display for Mutant {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Mutant::None => write!(out, "none"),
            Mutant::RelaxedPublish => write!(out, "relaxed publish"),
            Mutant::RelaxedObserve => write!(out, "relaxed observe"),
            Mutant::Weakened { line, column } => write!(out, "weakened {line} {column}"),
            Mutant::Skewed { role: PRODUCER, by } => write!(out, "off by one full {by}"),
            Mutant::Skewed { by, .. } => write!(out, "off by one empty {by}"),
            Mutant::StoresFirst { role, words } => {
                let what =
                    if role == PRODUCER { "published before it is written" } else { "given back before it is read" };
                write!(out, "{what}{}", if words { ", shown by the messages alone" } else { "" })
            }
            Mutant::RelaxedStoresLate => write!(out, "messages of a span published after the first one"),
            Mutant::WordCells => write!(out, "slots of unordered words"),
            Mutant::Unseen => write!(out, "memory that loom does not see"),
        }
    }
}

impl FromStr for Mutant {
    type Err = String;
    fn from_str(name: &str) -> Result<Mutant, String> {
        if let Some(place) = name.strip_prefix("weakened ") {
            let mut numbers = place.split(' ').map(|number| number.parse::<u32>().ok());
            if let (Some(Some(line)), Some(Some(column))) = (numbers.next(), numbers.next()) {
                return Ok(Mutant::Weakened { line, column });
            }
        }
        let mut known = Mutant::STANDARD.into_iter().chain([Mutant::None, Mutant::WordCells]);
        known.find(|mutant| mutant.to_string() == name).ok_or(format!("no such mutant: {name}"))
    }
}

static MUTANT: OnceLock<Mutant> = OnceLock::new();

/// Chooses, once a process, what is broken.
pub fn break_with(mutant: Mutant) {
    MUTANT.set(mutant).expect("one mutant a process");
}

fn mutant() -> Mutant {
    *MUTANT.get().expect("a mutant, or none, was chosen")
}

/// Every place in ring.hpp where an order stands that is not relaxed, by line and column.
static PLACES: Mutex<BTreeSet<(u32, u32)>> = Mutex::new(BTreeSet::new());

pub fn places() -> Vec<(u32, u32)> {
    PLACES.lock().unwrap().iter().copied().collect()
}

loom::thread_local! { static ROLE: Cell<u8> = Cell::new(0); }

fn role() -> u8 {
    ROLE.with(Cell::get)
}

/// C++'s memory_order, as GCC and clang number it.
fn order_of(order: i32, line: u32, column: u32) -> Ordering {
    let ordering = match order {
        0 => return Ordering::Relaxed,
        2 => Ordering::Acquire,
        3 => Ordering::Release,
        4 => Ordering::AcqRel,
        5 => Ordering::SeqCst,
        other => panic!("no such memory order: {other}"),
    };
    PLACES.lock().unwrap().insert((line, column));
    let weak = match mutant() {
        Mutant::Weakened { line: at, column: across } => (line, column) == (at, across),
        Mutant::RelaxedPublish => ordering != Ordering::Acquire,
        Mutant::RelaxedObserve => ordering != Ordering::Release,
        _ => false,
    };
    if weak {
        Ordering::Relaxed
    } else {
        ordering
    }
}

/// A word between threads.
pub struct Word {
    seen: AtomicU64,
    unseen: PlainU64, // for the mutant of that name
    /// Raised before every access, where a scenario takes turns: see `take_turn`.
    turn: AtomicU64,
    /// The threads that loaded the word, and those that stored it, one bit each.
    loaders: PlainU64,
    writers: PlainU64,
}

static TAKES_TURNS: OnceLock<bool> = OnceLock::new();

/// Chooses, once a process, whether every access takes a turn first.
pub fn take_turns(whether: bool) {
    TAKES_TURNS.set(whether).expect("one scenario a process");
}

impl Word {
    /// loom remembers only the last access to a word when it looks for two that could come in the other order. So it
    /// misses executions when a store follows a load of its own thread (which hides another thread's load), and when
    /// several threads load. A read-modify-write hides nothing: with one on a second word before each access, the
    /// orders of all accesses are explored. Being relaxed, it orders nothing in the model. It costs executions, so
    /// scenarios do without it where each word has one loader, who does not store it: and that is checked.
    fn take_turn(&self, stores: bool) {
        if *TAKES_TURNS.get().expect("chosen") {
            self.turn.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(thread) = THREAD.with(Cell::get) else { return };
        let mask = if stores { &self.writers } else { &self.loaders };
        mask.fetch_or(1 << thread, Ordering::Relaxed);
        let (loaders, writers) = (self.loaders.load(Ordering::Relaxed), self.writers.load(Ordering::Relaxed));
        assert!(
            loaders.count_ones() <= 1 && loaders & writers == 0,
            "loom would not explore all of this scenario: let it take turns"
        );
    }
}

loom::thread_local! { static THREAD: Cell<Option<u32>> = Cell::new(None); }

/// This loom thread's number while it runs beside others, None before and after.
pub fn set_thread(number: Option<u32>) {
    THREAD.with(|mine| mine.set(number));
}

fn is_unseen() -> bool {
    mutant() == Mutant::Unseen
}

#[no_mangle]
pub extern "C-unwind" fn loom_atomic_new(value: u64) -> *mut Word {
    Box::into_raw(Box::new(Word {
        seen: AtomicU64::new(value),
        unseen: PlainU64::new(value),
        turn: AtomicU64::new(0),
        loaders: PlainU64::new(0),
        writers: PlainU64::new(0),
    }))
}

/// # Safety
/// `word` comes from loom_atomic_new and is used no more.
#[no_mangle]
pub unsafe extern "C-unwind" fn loom_atomic_free(word: *mut Word) {
    drop(Box::from_raw(word));
}

#[no_mangle]
pub extern "C-unwind" fn loom_atomic_load(word: &Word, order: i32, line: u32, column: u32) -> u64 {
    if is_unseen() {
        return word.unseen.load(Ordering::Relaxed);
    }
    let order = order_of(order, line, column);
    word.take_turn(false);
    let value = word.seen.load(order);
    match mutant() {
        Mutant::Skewed { role: skewed, by } if skewed == role() => value.wrapping_add_signed(by),
        _ => value,
    }
}

#[no_mangle]
pub extern "C-unwind" fn loom_atomic_store(word: &Word, value: u64, order: i32, line: u32, column: u32) {
    if is_unseen() {
        return word.unseen.store(value, Ordering::Relaxed);
    }
    let order = order_of(order, line, column);
    word.take_turn(true);
    word.seen.store(value, order);
}

/// Returns whether the word was `*expected` and is `desired` now; otherwise `*expected` becomes what it was.
#[no_mangle]
pub extern "C-unwind" fn loom_atomic_compare_exchange(
    word: &Word,
    expected: &mut u64,
    desired: u64,
    order: i32,
    refused: i32,
    line: u32,
    column: u32,
) -> bool {
    let found = if is_unseen() {
        word.unseen.compare_exchange(*expected, desired, Ordering::Relaxed, Ordering::Relaxed)
    } else {
        let (order, refused) = (order_of(order, line, column), order_of(refused, line, column));
        word.take_turn(true);
        word.seen.compare_exchange(*expected, desired, order, refused)
    };
    found.map_err(|found| *expected = found).is_ok()
}

#[no_mangle]
pub extern "C-unwind" fn loom_cell_new() -> *mut UnsafeCell<()> {
    Box::into_raw(Box::new(UnsafeCell::new(())))
}

/// # Safety
/// `cell` comes from loom_cell_new and is used no more.
#[no_mangle]
pub unsafe extern "C-unwind" fn loom_cell_free(cell: *mut UnsafeCell<()>) {
    drop(Box::from_raw(cell));
}

#[no_mangle]
pub extern "C-unwind" fn loom_cells_are_words() -> bool {
    matches!(mutant(), Mutant::WordCells | Mutant::StoresFirst { words: true, .. })
}

/// A write to a slot begins and ends: loom knows which accesses are ordered before it, and reports one that is not.
#[no_mangle]
pub extern "C-unwind" fn loom_cell_write(cell: &UnsafeCell<()>) {
    if !is_unseen() {
        cell.with_mut(|_| ());
    }
}

#[no_mangle]
pub extern "C-unwind" fn loom_cell_read(cell: &UnsafeCell<()>) {
    if !is_unseen() {
        cell.with(|_| ());
    }
}

#[no_mangle]
pub extern "C-unwind" fn loom_stores_come_early(asked: u8) -> bool {
    matches!(mutant(), Mutant::StoresFirst { role: broken, .. } if broken == asked && broken == role())
}

#[no_mangle]
pub extern "C-unwind" fn loom_relaxed_stores_come_late() -> bool {
    mutant() == Mutant::RelaxedStoresLate
}

#[no_mangle]
pub extern "C-unwind" fn loom_set_role(role: u8) {
    ROLE.with(|mine| mine.set(role));
}

#[no_mangle]
pub extern "C-unwind" fn loom_role() -> u8 {
    role()
}

#[no_mangle]
pub extern "C-unwind" fn loom_yield() {
    loom::thread::yield_now();
}

/// # Safety
/// `claim` is a C string.
#[no_mangle]
pub unsafe extern "C-unwind" fn loom_fail(claim: *const std::ffi::c_char) -> ! {
    panic!("not so: {}", std::ffi::CStr::from_ptr(claim).to_string_lossy());
}
