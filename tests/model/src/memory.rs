//! The C ABI for the memory policy of loom_memory.hpp: loom's atomics and cells, and the mutants that break accesses to
//! them.
//!
//! Every function that can report is `extern "C-unwind"`: loom reports with a panic, and the panic passes through C++.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{c_char, CStr};
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
    /// The order at this place becomes relaxed, or loses one half.
    Weakened(Place),
    /// This role reads the other end's index with this error.
    Skewed {
        role: u8,
        by: i64,
    },
    /// This role publishes its index before it accesses the slot. For `words`, see WordCells.
    StoresFirst {
        role: u8,
        words: bool,
    },
    /// The reader of a seqlock does not look at the count again.
    LooksOnce,
    /// The audio thread looks at the same further word in each block.
    StaysInTurn,
    /// One side makes a mistake with the buffers that are handed over.
    HandsOver(Wrong),
    /// An end that takes over stores nothing relaxed: it leaves behind what a dead batch has stamped.
    LeavesStamps,
    /// Relaxed stores come after the next ordered store, so what that store should publish comes too late.
    RelaxedStoresLate,
    /// Of each two stores of the producer, the second comes first.
    StoresSwapped,
    /// Nothing is broken, but a slot is a row of relaxed words, about which loom reports nothing: only the messages can
    /// show a mutant. Without a mutant, this must be clean.
    WordCells,
    /// Memory that loom does not see: there is nothing to explore.
    Unseen,
}

/// The faults of the scenarios of buffers and streams, with the numbers that they have there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Wrong {
    SendsBackTheNew = 1,
    FreesTooEarly = 2,
    ReadsOn = 3,
    AcceptsTwice = 4,
    ClearsTooMuch = 5,
}

pub const PRODUCER: u8 = 1;
pub const CONSUMER: u8 = 2;
pub const HEIR: u8 = 3; // an end that takes over

/// memory_order_relaxed, as GCC and clang number it.
const RELAXED: i32 = 0;

/// The headers to explore. Each has its scenarios and its mutants.
pub const SOURCES: [&str; 7] = [
    "ring.hpp",
    "span_ring.hpp",
    "seqlock.hpp",
    "shared_parameters.hpp",
    "buffer.hpp",
    "recording.hpp",
    "playback.hpp",
];

/// The place of a memory order, and the part of it that a mutant removes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// An index into SOURCES.
    pub source: usize,
    pub line: u32,
    pub column: u32,
    pub lost: Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lost {
    All,
    Acquire,
    Release,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{} {} {} {:?}", SOURCES[self.source], self.line, self.column, self.lost)
    }
}

impl FromStr for Place {
    type Err = String;
    fn from_str(text: &str) -> Result<Place, String> {
        let place = || {
            let mut words = text.split(' ');
            let source = words.next()?;
            Some(Place {
                source: SOURCES.iter().position(|&known| known == source)?,
                line: words.next()?.parse().ok()?,
                column: words.next()?.parse().ok()?,
                lost: match words.next()? {
                    "All" => Lost::All,
                    "Acquire" => Lost::Acquire,
                    "Release" => Lost::Release,
                    _ => return None,
                },
            })
        };
        place().ok_or(format!("no such place: {text}"))
    }
}

impl Mutant {
    /// The mutants of a header, except those that weaken one order.
    pub fn of(source: &str) -> &'static [Mutant] {
        match source {
            "ring.hpp" => &Mutant::RING,
            "span_ring.hpp" => &Mutant::SPAN_RING,
            "seqlock.hpp" => &Mutant::SEQLOCK,
            "shared_parameters.hpp" => &Mutant::PARAMETERS,
            "buffer.hpp" => &Mutant::BUFFER,
            "recording.hpp" => &Mutant::RECORDING,
            "playback.hpp" => &Mutant::PLAYBACK,
            _ => panic!("no mutants for {source}"),
        }
    }

    const RING: [Mutant; 15] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::Skewed { role: PRODUCER, by: 1 },
        Mutant::Skewed { role: PRODUCER, by: -1 },
        Mutant::Skewed { role: CONSUMER, by: 1 },
        Mutant::Skewed { role: CONSUMER, by: -1 },
        Mutant::Skewed { role: HEIR, by: 1 },
        Mutant::Skewed { role: HEIR, by: -1 },
        Mutant::LeavesStamps,
        Mutant::StoresFirst { role: PRODUCER, words: false },
        Mutant::StoresFirst { role: CONSUMER, words: false },
        Mutant::StoresFirst { role: PRODUCER, words: true },
        Mutant::StoresFirst { role: CONSUMER, words: true },
        Mutant::RelaxedStoresLate,
        Mutant::Unseen,
    ];

    const SPAN_RING: [Mutant; 11] = [
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
        Mutant::Unseen,
    ];

    const SEQLOCK: [Mutant; 5] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::Skewed { role: PRODUCER, by: 1 },
        Mutant::LooksOnce,
        Mutant::Unseen,
    ];

    const PARAMETERS: [Mutant; 5] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::RelaxedStoresLate,
        Mutant::StaysInTurn,
        Mutant::Unseen,
    ];

    const BUFFER: [Mutant; 7] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::HandsOver(Wrong::SendsBackTheNew),
        Mutant::HandsOver(Wrong::FreesTooEarly),
        Mutant::HandsOver(Wrong::ReadsOn),
        Mutant::HandsOver(Wrong::AcceptsTwice),
        Mutant::Unseen,
    ];

    // A ring that seems fuller than it is only loses frames earlier: span_ring.hpp has that mutant.
    const RECORDING: [Mutant; 9] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::Skewed { role: PRODUCER, by: 1 },
        Mutant::Skewed { role: CONSUMER, by: 1 },
        Mutant::Skewed { role: CONSUMER, by: -1 },
        Mutant::StoresFirst { role: PRODUCER, words: false },
        Mutant::StoresFirst { role: CONSUMER, words: false },
        Mutant::StoresSwapped,
        Mutant::Unseen,
    ];

    const PLAYBACK: [Mutant; 9] = [
        Mutant::RelaxedPublish,
        Mutant::RelaxedObserve,
        Mutant::Skewed { role: CONSUMER, by: 1 },
        Mutant::Skewed { role: CONSUMER, by: -1 },
        Mutant::StoresFirst { role: PRODUCER, words: false },
        Mutant::StoresFirst { role: CONSUMER, words: false },
        Mutant::RelaxedStoresLate,
        Mutant::HandsOver(Wrong::ClearsTooMuch),
        Mutant::Unseen,
    ];
}

impl fmt::Display for Mutant {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Mutant::None => write!(out, "none"),
            Mutant::RelaxedPublish => write!(out, "relaxed publish"),
            Mutant::RelaxedObserve => write!(out, "relaxed observe"),
            Mutant::Weakened(place) => write!(out, "weakened {place}"),
            Mutant::Skewed { role: PRODUCER, by } => write!(out, "off by one full {by}"),
            Mutant::Skewed { role: HEIR, by } => write!(out, "off by one in a takeover {by}"),
            Mutant::LeavesStamps => write!(out, "a takeover leaves the stamps of a dead batch"),
            Mutant::Skewed { by, .. } => write!(out, "off by one empty {by}"),
            Mutant::StoresFirst { role, words } => {
                let what =
                    if role == PRODUCER { "published before it is written" } else { "given back before it is read" };
                write!(out, "{what}{}", if words { ", only the messages can show it" } else { "" })
            }
            Mutant::LooksOnce => write!(out, "the reader does not look at the count again"),
            Mutant::StaysInTurn => write!(out, "the audio thread looks at the same further word in each block"),
            Mutant::HandsOver(wrong) => {
                let what = match wrong {
                    Wrong::SendsBackTheNew => "the new buffer is sent back, not the old one",
                    Wrong::FreesTooEarly => "the old buffer is freed before it came back",
                    Wrong::ReadsOn => "the old buffer is read after it was sent back",
                    Wrong::AcceptsTwice => "a handle is accepted as often as it comes",
                    Wrong::ClearsTooMuch => "a clear drops what was written after it",
                };
                write!(out, "{what}")
            }
            Mutant::RelaxedStoresLate => write!(out, "relaxed stores come after the store that publishes them"),
            Mutant::StoresSwapped => write!(out, "of each two stores of the producer, the second comes first"),
            Mutant::WordCells => write!(out, "slots of unordered words"),
            Mutant::Unseen => write!(out, "memory that loom does not see"),
        }
    }
}

impl FromStr for Mutant {
    type Err = String;
    fn from_str(name: &str) -> Result<Mutant, String> {
        if let Some(place) = name.strip_prefix("weakened ") {
            return Ok(Mutant::Weakened(place.parse()?));
        }
        let all = SOURCES.iter().flat_map(|source| Mutant::of(source)).copied();
        let mut known = all.chain([Mutant::None, Mutant::WordCells]);
        known.find(|mutant| mutant.to_string() == name).ok_or(format!("no such mutant: {name}"))
    }
}

static MUTANT: OnceLock<Mutant> = OnceLock::new();

/// Sets, once per process, what is broken.
pub fn break_with(mutant: Mutant) {
    MUTANT.set(mutant).expect("one mutant a process");
}

fn mutant() -> Mutant {
    *MUTANT.get().expect("a mutant, or none, was chosen")
}

/// Every place of an order that is not relaxed, once for each part that a mutant can remove.
static PLACES: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

pub fn places() -> Vec<Place> {
    PLACES.lock().unwrap().iter().copied().collect()
}

loom::thread_local! { static ROLE: Cell<u8> = Cell::new(0); }

fn role() -> u8 {
    ROLE.with(Cell::get)
}

/// The order for a memory_order of C++ as GCC and clang number it, or the one that the mutant makes of it.
fn order_of(order: i32, file: *const c_char, line: u32, column: u32) -> Ordering {
    let ordering = match order {
        0 => return Ordering::Relaxed,
        2 => Ordering::Acquire,
        3 => Ordering::Release,
        4 => Ordering::AcqRel,
        5 => Ordering::SeqCst,
        other => panic!("no such memory order: {other}"),
    };
    let path = unsafe { CStr::from_ptr(file) }.to_str().expect("ASCII");
    let name = path.rsplit('/').next().unwrap_or(path);
    let source = SOURCES.iter().position(|&known| known == name).unwrap_or_else(|| panic!("unknown source: {path}"));
    let at = |lost| Place { source, line, column, lost };
    let can_lose: &[(Lost, Ordering)] = match ordering {
        Ordering::AcqRel => &[(Lost::Acquire, Ordering::Release), (Lost::Release, Ordering::Acquire)],
        _ => &[(Lost::All, Ordering::Relaxed)],
    };
    PLACES.lock().unwrap().extend(can_lose.iter().map(|&(lost, _)| at(lost)));
    match (mutant(), ordering) {
        (Mutant::Weakened(place), _) => {
            can_lose.iter().find(|&&(lost, _)| at(lost) == place).map_or(ordering, |&(_, left)| left)
        }
        (Mutant::RelaxedPublish, Ordering::AcqRel) => Ordering::Acquire,
        (Mutant::RelaxedObserve, Ordering::AcqRel) => Ordering::Release,
        (Mutant::RelaxedPublish, Ordering::Release | Ordering::SeqCst) => Ordering::Relaxed,
        (Mutant::RelaxedObserve, Ordering::Acquire | Ordering::SeqCst) => Ordering::Relaxed,
        _ => ordering,
    }
}

/// A word that threads share.
pub struct Word {
    seen: AtomicU64,
    unseen: PlainU64,   // for Mutant::Unseen
    acquired: PlainU64, // for Mutant::LooksOnce: what a reader loaded last
    /// Incremented before every access if the scenario takes turns: see `take_turn`.
    turn: AtomicU64,
    /// The threads that loaded the word and those that stored it, one bit each.
    loaders: PlainU64,
    writers: PlainU64,
}

static TAKES_TURNS: OnceLock<bool> = OnceLock::new();

/// Sets, once per process, whether every access takes a turn first.
pub fn take_turns(whether: bool) {
    TAKES_TURNS.set(whether).expect("one scenario a process");
}

impl Word {
    /// When loom looks for two accesses that could come in the other order, it remembers only the last access to a
    /// word. So it misses executions if a store follows a load of the same thread (it hides another thread's load), or
    /// if several threads load. A read-modify-write hides nothing: with one on a second word before each access, loom
    /// explores the orders of all accesses. It is relaxed, so it orders nothing in the model. It costs executions. So
    /// scenarios do without it where each word has one loader that does not store it, and this is checked.
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

/// The number of this loom thread while it runs beside others; None before and after.
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
        acquired: PlainU64::new(value),
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
pub extern "C-unwind" fn loom_atomic_load(word: &Word, order: i32, file: *const c_char, line: u32, column: u32) -> u64 {
    if is_unseen() {
        return word.unseen.load(Ordering::Relaxed);
    }
    if mutant() == Mutant::LooksOnce && role() == CONSUMER && order == RELAXED {
        return word.acquired.load(Ordering::Relaxed);
    }
    let order = order_of(order, file, line, column);
    word.take_turn(false);
    let value = word.seen.load(order);
    word.acquired.store(value, Ordering::Relaxed);
    match mutant() {
        Mutant::Skewed { role: skewed, by } if skewed == role() => value.wrapping_add_signed(by),
        _ => value,
    }
}

#[no_mangle]
pub extern "C-unwind" fn loom_atomic_store(
    word: &Word,
    value: u64,
    order: i32,
    file: *const c_char,
    line: u32,
    column: u32,
) {
    if is_unseen() {
        return word.unseen.store(value, Ordering::Relaxed);
    }
    let order = order_of(order, file, line, column);
    word.take_turn(true);
    word.seen.store(value, order);
}

/// Returns the old value.
#[no_mangle]
pub extern "C-unwind" fn loom_atomic_exchange(
    word: &Word,
    value: u64,
    order: i32,
    file: *const c_char,
    line: u32,
    column: u32,
) -> u64 {
    if is_unseen() {
        return word.unseen.swap(value, Ordering::Relaxed);
    }
    let order = order_of(order, file, line, column);
    word.take_turn(true);
    word.seen.swap(value, order)
}

/// Sets `bits`, and returns the old value.
#[no_mangle]
pub extern "C-unwind" fn loom_atomic_fetch_or(
    word: &Word,
    bits: u64,
    order: i32,
    file: *const c_char,
    line: u32,
    column: u32,
) -> u64 {
    if is_unseen() {
        return word.unseen.fetch_or(bits, Ordering::Relaxed);
    }
    let order = order_of(order, file, line, column);
    word.take_turn(true);
    word.seen.fetch_or(bits, order)
}

/// If the word is `*expected`, sets it to `desired` and returns true. Otherwise sets `*expected` to the word.
#[no_mangle]
pub extern "C-unwind" fn loom_atomic_compare_exchange(
    word: &Word,
    expected: &mut u64,
    desired: u64,
    order: i32,
    refused: i32,
    file: *const c_char,
    line: u32,
    column: u32,
) -> bool {
    let found = if is_unseen() {
        word.unseen.compare_exchange(*expected, desired, Ordering::Relaxed, Ordering::Relaxed)
    } else {
        let (order, refused) = (order_of(order, file, line, column), order_of(refused, file, line, column));
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

/// Begins and ends a write to a slot. loom reports a write that is not ordered after earlier accesses.
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
pub extern "C-unwind" fn loom_hands_over_wrong(asked: u8) -> bool {
    matches!(mutant(), Mutant::HandsOver(wrong) if wrong as u8 == asked)
}

#[no_mangle]
pub extern "C-unwind" fn loom_relaxed_stores_are_lost() -> bool {
    mutant() == Mutant::LeavesStamps
}

#[no_mangle]
pub extern "C-unwind" fn loom_stays_in_turn() -> bool {
    mutant() == Mutant::StaysInTurn
}

#[no_mangle]
pub extern "C-unwind" fn loom_relaxed_stores_come_late() -> bool {
    mutant() == Mutant::RelaxedStoresLate
}

#[no_mangle]
pub extern "C-unwind" fn loom_stores_are_swapped(asked: u8) -> bool {
    mutant() == Mutant::StoresSwapped && asked == PRODUCER
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
pub unsafe extern "C-unwind" fn loom_fail(claim: *const c_char) -> ! {
    panic!("not so: {}", CStr::from_ptr(claim).to_string_lossy());
}
