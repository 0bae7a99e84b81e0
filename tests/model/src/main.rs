//! Explores every scenario of scenarios.cpp, then every mutant, and prints a report.
//!
//! Each exploration is a process of its own (`explore SCENARIO MUTANT`). So a crash cannot stop the others, and it is
//! not taken for a finding.

mod memory;

use std::collections::BTreeSet;
use std::ffi::{c_char, c_int, CStr};
use std::panic;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use memory::{Lost, Mutant, Place, SOURCES};

extern "C" {
    fn scenario_count() -> usize;
    fn scenario_name(index: usize) -> *const c_char;
    fn scenario_source(index: usize) -> *const c_char;
    fn scenario_threads(index: usize) -> c_int;
    fn scenario_takes_turns(index: usize) -> bool;
    fn scenario_deaths(index: usize) -> u64;
    fn scenario_refused_pushes() -> u64;
    fn scenario_refused_pops() -> u64;
    fn scenario_max_messages() -> u64;
}
extern "C-unwind" {
    fn scenario_begin(index: usize, death: u64) -> usize;
    fn scenario_run(scenario: usize, thread: c_int);
    fn scenario_finish(scenario: usize);
}

/// What a scenario must have met while its threads ran; otherwise its exploration proves nothing. `executions` is about
/// half of what was seen: a change of the ring's layout may change the number, but a blind checker explores next to
/// nothing.
struct Floor {
    scenario: &'static str,
    executions: u64,
    messages: u64,
    /// Whether some pushes, and some pops, must have been refused.
    refused: (bool, bool),
}

#[rustfmt::skip]
const FLOORS: [Floor; 54] = [
    Floor { scenario: "slow: capacity 4: 7 pushes, 5 pops", executions: 10_000, messages: 7, refused: (true, true) },
    Floor { scenario: "slow: capacity 2: 6 pushes, 5 pops", executions: 100_000, messages: 6, refused: (true, true) },
    Floor { scenario: "slow: capacity 1: 4 messages through", executions: 150_000, messages: 4, refused: (true, true) },
    Floor { scenario: "capacity 4: 6 pushes, 3 pops", executions: 1_800, messages: 6, refused: (true, true) },
    Floor { scenario: "capacity 2: 4 pushes, 3 pops", executions: 1_000, messages: 4, refused: (true, true) },
    Floor { scenario: "capacity 1: 3 messages through", executions: 4_100, messages: 3, refused: (true, true) },
    Floor { scenario: "capacity 2: 4 messages through", executions: 60_000, messages: 4, refused: (true, true) },
    Floor { scenario: "capacity 4: spans and single ones", executions: 50_000, messages: 5, refused: (false, false) },
    Floor { scenario: "capacity 2: spans and single ones", executions: 60_000, messages: 4, refused: (true, true) },
    Floor { scenario: "two at once, popped one by one", executions: 20, messages: 4, refused: (false, true) },
    Floor { scenario: "two at once, popped as spans", executions: 500, messages: 4, refused: (false, true) },
    Floor { scenario: "capacity 1: 3 pushes, 3 pops", executions: 200, messages: 3, refused: (true, true) },
    Floor { scenario: "capacity 2: 3 messages through", executions: 1_300, messages: 3, refused: (true, true) },
    Floor { scenario: "capacity 1: ends taken late", executions: 1_400, messages: 3, refused: (true, true) },
    Floor { scenario: "capacity 2: ends taken late", executions: 1_000, messages: 4, refused: (true, false) },
    Floor { scenario: "two threads take the producer", executions: 3_500, messages: 2, refused: (false, true) },
    Floor { scenario: "two threads take the consumer", executions: 6_000, messages: 3, refused: (true, false) },
    Floor { scenario: "a third thread watches", executions: 2_900, messages: 1, refused: (false, true) },
    Floor { scenario: "a third thread watches a ring of one", executions: 5_000, messages: 2, refused: (true, false) },
    Floor { scenario: "each end trusts size()", executions: 50, messages: 2, refused: (false, false) },
    Floor { scenario: "two at once, popped both or none", executions: 250, messages: 4, refused: (false, true) },
    Floor { scenario: "some given up, then others pushed", executions: 100, messages: 3, refused: (true, true) },
    Floor { scenario: "the first of two, then the rest", executions: 150, messages: 4, refused: (false, true) },
    Floor { scenario: "the consumer trusts size() of spans", executions: 9, messages: 3, refused: (false, false) },
    Floor { scenario: "the consumer watches the tail", executions: 300, messages: 1, refused: (false, true) },
    Floor { scenario: "a third thread watches the tail", executions: 50_000, messages: 1, refused: (false, true) },
    Floor { scenario: "a producer dies and is replaced", executions: 80_000, messages: 3, refused: (true, true) },
    Floor { scenario: "a consumer dies and is replaced", executions: 5_000, messages: 4, refused: (true, false) },
    Floor { scenario: "span ring of 4: 5 times 2, 4 times 2", executions: 58_000, messages: 10, refused: (true, true) },
    Floor { scenario: "span ring of 2: 5 times 1, 4 times 1", executions: 58_000, messages: 5, refused: (true, true) },
    Floor { scenario: "span ring of 4: 3 times 3, 3 times 3", executions: 1_500, messages: 9, refused: (true, true) },
    Floor { scenario: "span ring of 1: 4 times 1, 4 times 1", executions: 1_700, messages: 4, refused: (true, true) },
    Floor { scenario: "seqlock: 2 writes, 1 read", executions: 80_000, messages: 1, refused: (false, true) },
    Floor { scenario: "seqlock: its writer dies", executions: 7_000, messages: 0, refused: (false, false) },
    Floor { scenario: "parameters: 2 writes, 2 blocks", executions: 36_000, messages: 2, refused: (false, true) },
    Floor { scenario: "parameters: several at once", executions: 900, messages: 2, refused: (false, true) },
    Floor { scenario: "parameters: a writer dies", executions: 11, messages: 1, refused: (false, true) },
    Floor { scenario: "buffers: 3 published, 2 blocks", executions: 130, messages: 2, refused: (true, true) },
    Floor { scenario: "buffers: 5 published, 4 blocks", executions: 29_000, messages: 4, refused: (true, true) },
    Floor { scenario: "buffers: some dropped", executions: 1_900, messages: 2, refused: (true, true) },
    Floor { scenario: "buffers: 4 loaded, 3 blocks", executions: 1_000, messages: 2, refused: (true, true) },
    Floor { scenario: "buffers: a copy of each command", executions: 100, messages: 2, refused: (false, true) },
    Floor { scenario: "recording: 4 blocks of 2, 3 reads", executions: 12_000, messages: 6, refused: (true, true) },
    Floor { scenario: "recording: 4 blocks of 1 through 1", executions: 600, messages: 3, refused: (true, true) },
    Floor { scenario: "recording: more gaps than marks", executions: 1_300, messages: 6, refused: (true, false) },
    Floor { scenario: "recording: it ends", executions: 340, messages: 1, refused: (false, true) },
    Floor { scenario: "playback: 2 frames cleared, 3 blocks", executions: 1_500, messages: 3, refused: (false, true) },
    Floor { scenario: "playback: 3 frames cleared, 4 blocks", executions: 3_900, messages: 4, refused: (false, true) },
    Floor { scenario: "playback: 2 frames to its end", executions: 7, messages: 2, refused: (false, true) },
    Floor { scenario: "playback: a position beside a block", executions: 700, messages: 1, refused: (false, true) },
    Floor { scenario: "long: capacity 2: 5 messages through", executions: 2_000_000, messages: 5, refused: (true, true) },
    Floor { scenario: "long: capacity 4: 5 messages through", executions: 2_000_000, messages: 5, refused: (true, true) },
    Floor { scenario: "long: seqlock: 1 write, 2 readers", executions: 100_000, messages: 2, refused: (false, true) },
    Floor { scenario: "long: parameters: 2 writers, a block", executions: 100_000, messages: 1, refused: (false, true) },
];

/// Headers that consist of others: their own accesses are relaxed.
const ONLY_RELAXED: [&str; 2] = ["recording.hpp", "playback.hpp"];

const CLEAN: i32 = 0;
const FOUND: i32 = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--quick"] => report(&["slow:", "long:"]),
        [] => report(&["long:"]),
        ["--long"] => report(&[]),
        ["explore", scenario, mutant] => {
            explore(scenario.parse().expect("a number"), mutant.parse().expect("a mutant"))
        }
        _ => {
            eprintln!("usage: cueline-model [--quick | --long | explore SCENARIO MUTANT]");
            ExitCode::from(2)
        }
    }
}

fn explore(scenario: usize, mutant: Mutant) -> ExitCode {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
    memory::break_with(mutant);
    memory::take_turns(unsafe { scenario_takes_turns(scenario) });
    panic::set_hook(Box::new(|_| ())); // the report has the finding

    let mut model = loom::model::Builder::new();
    model.max_permutations = None; // all executions, whatever the environment says
    model.max_duration = None;
    model.preemption_bound = None;
    let found = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        for death in 0..unsafe { scenario_deaths(scenario) } {
            model.check(move || {
                EXECUTIONS.fetch_add(1, Ordering::Relaxed);
                run_once(scenario, death);
            })
        }
    }));

    println!("executions {}", EXECUTIONS.load(Ordering::Relaxed));
    unsafe {
        println!("refused_pushes {}", scenario_refused_pushes());
        println!("refused_pops {}", scenario_refused_pops());
        println!("messages {}", scenario_max_messages());
    }
    for place in memory::places() {
        println!("place {place}");
    }
    match found {
        Ok(()) => ExitCode::from(CLEAN as u8),
        Err(what) => {
            let text = what.downcast_ref::<String>().cloned();
            let text = text.or(what.downcast_ref::<&str>().map(|text| text.to_string()));
            println!("found {}", text.unwrap_or("a panic without a message".into()).lines().next().unwrap_or_default());
            std::io::Write::flush(&mut std::io::stdout()).unwrap();
            unsafe { _exit(FOUND) } // at once: unfinished executions have nothing to add
        }
    }
}

extern "C" {
    fn _exit(status: c_int) -> !;
}

fn run_once(index: usize, death: u64) {
    unsafe {
        let scenario = scenario_begin(index, death);
        let run = move |thread| {
            memory::set_thread(Some(thread as u32));
            scenario_run(scenario, thread);
            memory::set_thread(None);
        };
        let others: Vec<_> = (1..scenario_threads(index)).map(|n| loom::thread::spawn(move || run(n))).collect();
        run(0);
        for other in others {
            other.join().unwrap();
        }
        scenario_finish(scenario);
    }
}

struct Outcome {
    status: Option<i32>,
    output: String,
    seconds: f64,
}

impl Outcome {
    fn number(&self, name: &str) -> u64 {
        let line = self.output.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
    fn finding(&self) -> Option<&str> {
        self.output.lines().find_map(|line| line.strip_prefix("found ")).filter(|_| self.status == Some(FOUND))
    }
    fn places(&self) -> Vec<Place> {
        let places = self.output.lines().filter_map(|line| line.strip_prefix("place "));
        places.map(|place| place.parse().expect("a place")).collect()
    }
}

fn explore_apart(scenario: usize, mutant: Mutant) -> Outcome {
    let begun = Instant::now();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command.args(["explore", &scenario.to_string(), &mutant.to_string()]).output().expect("it runs");
    Outcome {
        status: output.status.code(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        seconds: begun.elapsed().as_secs_f64(),
    }
}

/// Does `work` for every item, with one thread per processor. The results are in the items' order.
fn for_each<Item: Sync, Result: Send>(items: &[Item], work: impl Fn(&Item) -> Result + Sync) -> Vec<Result> {
    let next = Mutex::new(0);
    let results = Mutex::new(items.iter().map(|_| None).collect::<Vec<Option<Result>>>());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |count| count.get()) {
            scope.spawn(|| loop {
                let index = {
                    let mut next = next.lock().unwrap();
                    *next += 1;
                    *next - 1
                };
                let Some(item) = items.get(index) else { return };
                let result = work(item);
                results.lock().unwrap()[index] = Some(result);
            });
        }
    });
    results.into_inner().unwrap().into_iter().map(|result| result.unwrap()).collect()
}

fn name_of(scenario: usize) -> &'static str {
    unsafe { CStr::from_ptr(scenario_name(scenario)).to_str().expect("ASCII") }
}

fn source_of(scenario: usize) -> &'static str {
    unsafe { CStr::from_ptr(scenario_source(scenario)).to_str().expect("ASCII") }
}

fn text_of(source: &str) -> Vec<&'static str> {
    let text = match source {
        "ring.hpp" => include_str!("../../../include/cueline/ring.hpp"),
        "span_ring.hpp" => include_str!("../../../include/cueline/span_ring.hpp"),
        "seqlock.hpp" => include_str!("../../../include/cueline/seqlock.hpp"),
        "shared_parameters.hpp" => include_str!("../../../include/cueline/shared_parameters.hpp"),
        "buffer.hpp" => include_str!("../../../include/cueline/buffer.hpp"),
        "recording.hpp" => include_str!("../../../include/cueline/recording.hpp"),
        "playback.hpp" => include_str!("../../../include/cueline/playback.hpp"),
        _ => panic!("no such source: {source}"),
    };
    text.lines().collect()
}

/// What is wrong with an exploration that should be clean, or None.
fn wrong_with(scenario: usize, outcome: &Outcome) -> Option<String> {
    if let Some(finding) = outcome.finding() {
        return Some(finding.to_string());
    }
    if outcome.status != Some(CLEAN) {
        return Some(format!("the exploration died: {:?}", outcome.status));
    }
    let Some(floor) = FLOORS.iter().find(|floor| floor.scenario == name_of(scenario)) else {
        return Some("src/main.rs has no floor for it".into());
    };
    let executions = outcome.number("executions");
    if executions < floor.executions {
        return Some(format!("explored {executions} executions, fewer than {}: is it blind?", floor.executions));
    }
    let messages = outcome.number("messages");
    if messages < floor.messages {
        return Some(format!("at most {messages} messages passed, {} expected", floor.messages));
    }
    let met = (outcome.number("refused_pushes") > 0, outcome.number("refused_pops") > 0);
    if (floor.refused.0 && !met.0) || (floor.refused.1 && !met.1) {
        return Some(format!("(pushes, pops) must be refused: {:?} expected, got {met:?}", floor.refused));
    }
    None
}

/// The lines of a header whose memory orders no scenario used, so that nothing is proved about them.
fn unseen_orders(source: &[&str], places: &[Place]) -> Vec<usize> {
    let orders = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        ["acquire", "release", "acq_rel", "seq_cst", "consume"]
            .iter()
            .map(|order| {
                code.matches(&format!("memory_order_{order}")).count()
                    + code.matches(&format!("memory_order::{order}")).count()
            })
            .sum::<usize>()
    };
    let seen = |number: usize| {
        let here = places.iter().filter(|place| place.line as usize == number);
        here.map(|place| place.column).collect::<BTreeSet<_>>().len()
    };
    (1..=source.len()).filter(|&number| orders(source[number - 1]) > seen(number)).collect()
}

/// Explores all scenarios but those whose names begin with one of `left_out`, then the mutants.
fn report(left_out: &[&str]) -> ExitCode {
    let mut sound = true;
    let is_left_out = |scenario: &usize| left_out.iter().any(|begin| name_of(*scenario).starts_with(begin));
    let all = 0..unsafe { scenario_count() };
    let scenarios: Vec<usize> = all.filter(|scenario| !is_left_out(scenario)).collect();
    let outcomes = for_each(&scenarios, |&scenario| explore_apart(scenario, Mutant::None));

    println!("{} under loom, every execution explored", SOURCES.join(", "));
    println!(
        "{:<37} {:>11} {:>9} {:>14} {:>12} {:>8}",
        "scenario", "executions", "messages", "pushes refused", "pops refused", "seconds"
    );
    for (&scenario, outcome) in scenarios.iter().zip(&outcomes) {
        println!(
            "{:<37} {:>11} {:>9} {:>14} {:>12} {:>8.1}",
            name_of(scenario),
            outcome.number("executions"),
            outcome.number("messages"),
            outcome.number("refused_pushes"),
            outcome.number("refused_pops"),
            outcome.seconds
        );
        if let Some(wrong) = wrong_with(scenario, outcome) {
            println!("    FAILED: {wrong}");
            sound = false;
        }
    }
    if !sound {
        return ExitCode::FAILURE;
    }

    // The quick scenarios first: most mutants fail there.
    let mut by_length: Vec<(u64, usize)> =
        outcomes.iter().map(|o| o.number("executions")).zip(scenarios.clone()).collect();
    by_length.sort();

    let mut places: Vec<Place> = outcomes.iter().flat_map(Outcome::places).collect();
    places.sort();
    places.dedup();
    // A header, and a mutant of it.
    let mut mutants: Vec<(&str, Mutant)> = Vec::new();
    for (number, source) in SOURCES.into_iter().enumerate() {
        let text = text_of(source);
        let here: Vec<Place> = places.iter().copied().filter(|place| place.source == number).collect();
        for line in unseen_orders(&text, &here) {
            println!("FAILED: no scenario uses {source}:{line}: {}", text[line - 1].trim());
            sound = false;
        }
        if here.is_empty() && !ONLY_RELAXED.contains(&source) {
            println!("FAILED: no orders seen in {source}");
            sound = false;
        }
        let weakened = here.into_iter().map(Mutant::Weakened);
        mutants.extend(Mutant::of(source).iter().copied().chain(weakened).map(|mutant| (source, mutant)));
    }
    if !sound {
        return ExitCode::FAILURE;
    }

    println!("\nmutants: each must be caught");
    let caught = for_each(&mutants, |&(source, mutant)| {
        let its_own = by_length.iter().filter(|(_, scenario)| source_of(*scenario) == source);
        let mut broken = its_own.map(|&(_, scenario)| (scenario, explore_apart(scenario, mutant)));
        broken.find_map(|(scenario, outcome)| wrong_with(scenario, &outcome).map(|wrong| (scenario, outcome, wrong)))
    });
    for ((source, mutant), caught) in mutants.iter().zip(&caught) {
        match mutant {
            Mutant::Weakened(place) => {
                let what = match place.lost {
                    Lost::All => "relaxed",
                    Lost::Acquire => "without its acquire",
                    Lost::Release => "without its release",
                };
                println!("{source}:{}, {what}: {}", place.line, text_of(source)[place.line as usize - 1].trim())
            }
            other => println!("{source}: {other}"),
        }
        match caught {
            // A mutant is caught if loom or a scenario's claim found it, not if the checker crashed. Mutant::Unseen is
            // caught if too little was explored.
            Some((scenario, outcome, wrong))
                if match mutant {
                    Mutant::Unseen => outcome.status == Some(CLEAN),
                    _ => wrong.starts_with("Causality violation") || wrong.starts_with("not so:"),
                } =>
            {
                println!(
                    "    caught by \"{}\" after {} executions: {wrong}",
                    name_of(*scenario),
                    outcome.number("executions")
                );
            }
            Some((scenario, _, wrong)) => {
                println!("    FAILED in \"{}\": {wrong}", name_of(*scenario));
                sound = false;
            }
            None => {
                println!("    SURVIVED");
                sound = false;
            }
        }
    }

    // Slots made of words are correct by themselves, so what they showed was the mutant's fault.
    let with_words = mutants
        .iter()
        .zip(&caught)
        .filter(|((_, mutant), _)| matches!(mutant, Mutant::StoresFirst { words: true, .. }));
    let mut scenarios_with_words: Vec<usize> =
        with_words.filter_map(|(_, caught)| caught.as_ref().map(|c| c.0)).collect();
    scenarios_with_words.sort();
    scenarios_with_words.dedup();
    for scenario in scenarios_with_words {
        let outcome = explore_apart(scenario, Mutant::WordCells);
        let wrong = wrong_with(scenario, &outcome);
        sound &= wrong.is_none();
        let verdict = wrong.as_deref().unwrap_or("clean");
        println!("\"{}\" with {} and nothing broken: {verdict}", name_of(scenario), Mutant::WordCells);
    }
    println!(
        "\n{} scenarios, {} mutants: {}",
        scenarios.len(),
        mutants.len(),
        if sound { "all as it should be" } else { "FAILED" }
    );
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
