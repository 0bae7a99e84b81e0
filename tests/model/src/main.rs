//! Explores every scenario of scenarios.cpp, then every mutant, and says what was seen.
//!
//! Each exploration is a process of its own (`explore SCENARIO MUTANT`), so that one that dies cannot take others with
//! it, and so that it is told apart from one that found something.

mod memory;

use std::ffi::{c_char, c_int, CStr};
use std::panic;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use memory::Mutant;

extern "C" {
    fn scenario_count() -> usize;
    fn scenario_name(index: usize) -> *const c_char;
    fn scenario_threads(index: usize) -> c_int;
    fn scenario_takes_turns(index: usize) -> bool;
    fn scenario_refused_pushes() -> u64;
    fn scenario_refused_pops() -> u64;
}
extern "C-unwind" {
    fn scenario_begin(index: usize) -> usize;
    fn scenario_run(scenario: usize, thread: c_int);
    fn scenario_finish(scenario: usize);
}

/// What each scenario must explore at least, and whether it must meet refused pushes and pops. About half of what was
/// seen: a change of the ring's layout may move the numbers, a blind checker explores next to nothing.
const FLOORS: [(&str, u64, bool, bool); 12] = [
    ("capacity 2: 5 messages through", 2_000_000, true, true),
    ("capacity 1: 3 pushes, 3 pops", 200, true, true),
    ("capacity 2: 5 pushes, 5 pops", 200_000, true, true),
    ("capacity 4: 6 pushes, 4 pops", 400_000, true, true),
    ("capacity 1: 4 messages through", 150_000, true, true),
    ("capacity 2: 3 messages through", 4_000, true, true),
    ("capacity 1: ends taken late", 5_000, true, true),
    ("capacity 2: ends taken late", 4_000, true, true),
    ("two threads want the producer", 15_000, true, true),
    ("two threads want the consumer", 15_000, true, true),
    ("a third thread watches", 4_000, true, true),
    ("each end trusts size()", 100, true, true),
];

const CLEAN: i32 = 0;
const FOUND: i32 = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => report(),
        ["explore", scenario, mutant] => explore(scenario.parse().expect("a number"), mutant.parse().expect("a mutant")),
        _ => {
            eprintln!("usage: cueline-model [explore SCENARIO MUTANT]");
            ExitCode::from(2)
        }
    }
}

// --- One exploration, in a process of its own ---------------------------------------------------------------------

fn explore(scenario: usize, mutant: Mutant) -> ExitCode {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
    memory::break_with(mutant);
    memory::take_turns(unsafe { scenario_takes_turns(scenario) });
    if std::env::var_os("SHOW").is_none() { panic::set_hook(Box::new(|_| ())); }

    let mut model = loom::model::Builder::new();
    model.max_permutations = None; // whatever the environment says: all of them
    model.max_duration = None;
    model.preemption_bound = None;
    let found = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        model.check(move || {
            EXECUTIONS.fetch_add(1, Ordering::Relaxed);
            run_once(scenario);
        })
    }));

    println!("executions {}", EXECUTIONS.load(Ordering::Relaxed));
    unsafe {
        println!("refused_pushes {}", scenario_refused_pushes());
        println!("refused_pops {}", scenario_refused_pops());
    }
    for (line, column) in memory::places() {
        println!("place {line} {column}");
    }
    match found {
        Ok(()) => ExitCode::from(CLEAN as u8),
        Err(what) => {
            let text = what.downcast_ref::<String>().cloned();
            let text = text.or(what.downcast_ref::<&str>().map(|text| text.to_string()));
            println!("found {}", text.unwrap_or("a panic without words".into()).lines().next().unwrap_or_default());
            std::io::Write::flush(&mut std::io::stdout()).unwrap();
            unsafe { _exit(FOUND) } // at once: half-run executions have nothing left to say
        }
    }
}

extern "C" {
    fn _exit(status: c_int) -> !;
}

fn run_once(index: usize) {
    unsafe {
        let scenario = scenario_begin(index);
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

// --- All of them, and what is to be said of them -------------------------------------------------------------------

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
    fn places(&self) -> Vec<(u32, u32)> {
        let places = self.output.lines().filter_map(|line| line.strip_prefix("place "));
        places.filter_map(|place| place.split_once(' ')).map(|(l, c)| (l.parse().unwrap(), c.parse().unwrap())).collect()
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

/// Does `work` for every item, as many at a time as there are processors; the results come in the items' order.
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

/// What is wrong with an exploration that should be clean, or nothing.
fn wrong_with(scenario: usize, outcome: &Outcome) -> Option<String> {
    if let Some(finding) = outcome.finding() {
        return Some(finding.to_string());
    }
    if outcome.status != Some(CLEAN) {
        return Some(format!("the exploration died: {:?}", outcome.status));
    }
    let Some((_, floor, pushes, pops)) = FLOORS.iter().find(|(name, ..)| *name == name_of(scenario)) else {
        return Some("it has no floor in src/main.rs".into());
    };
    if outcome.number("executions") < *floor {
        return Some(format!("explored {} executions, fewer than {floor}: is it blind?", outcome.number("executions")));
    }
    if *pushes && outcome.number("refused_pushes") == 0 {
        return Some("no push was ever refused".into());
    }
    (*pops && outcome.number("refused_pops") == 0).then(|| "no pop was ever refused".into())
}

fn report() -> ExitCode {
    let mut sound = true;
    let scenarios: Vec<usize> = (0..unsafe { scenario_count() }).collect();
    let outcomes = for_each(&scenarios, |&scenario| explore_apart(scenario, Mutant::None));

    println!("ring.hpp under loom, every execution explored");
    println!("{:<34} {:>11} {:>15} {:>13} {:>8}", "scenario", "executions", "pushes refused", "pops refused", "seconds");
    for (&scenario, outcome) in scenarios.iter().zip(&outcomes) {
        println!(
            "{:<34} {:>11} {:>15} {:>13} {:>8.1}",
            name_of(scenario),
            outcome.number("executions"),
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

    // The quick scenarios first: most mutants fall to them.
    let mut by_length = scenarios.clone();
    by_length.sort_by_key(|&scenario| outcomes[scenario].number("executions"));

    let mut places: Vec<(u32, u32)> = outcomes.iter().flat_map(Outcome::places).collect();
    places.sort();
    places.dedup();
    if places.is_empty() {
        println!("FAILED: no order was seen in ring.hpp");
        return ExitCode::FAILURE;
    }
    let mut mutants = Mutant::STANDARD.to_vec();
    mutants.extend(places.iter().map(|&(line, column)| Mutant::Weakened { line, column }));

    println!("\nmutants: each must be caught");
    let caught = for_each(&mutants, |&mutant| {
        let mut broken = by_length.iter().map(|&scenario| (scenario, explore_apart(scenario, mutant)));
        broken.find_map(|(scenario, outcome)| wrong_with(scenario, &outcome).map(|wrong| (scenario, outcome, wrong)))
    });
    let source: Vec<&str> = include_str!("../../../include/cueline/ring.hpp").lines().collect();
    for (mutant, caught) in mutants.iter().zip(&caught) {
        match mutant {
            Mutant::Weakened { line, .. } => {
                println!("ring.hpp:{line}, relaxed: {}", source[*line as usize - 1].trim())
            }
            other => println!("{other}"),
        }
        match caught {
            // A mutant counts as caught when it was reported, not when the checker fell over it.
            Some((scenario, outcome, wrong)) if matches!(outcome.status, Some(FOUND) | Some(CLEAN)) => {
                println!("    caught by \"{}\" after {} executions: {wrong}", name_of(*scenario), outcome.number("executions"));
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
    println!("\n{} scenarios, {} mutants: {}", scenarios.len(), mutants.len(), if sound { "all as it should be" } else { "FAILED" });
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
