//! Throws changed seeds at every parser: `cargo run --release -- [TARGET|all] [--seconds N] [--seed N]`.
//!
//! A panic, an overflow, a broken promise or an input that takes longer than a second is a finding:
//! the input is written to `artifacts/` and the exit code is 1. The same seed gives the same inputs.
//! The targets are plain functions of bytes, so libFuzzer or AFL can drive them as they are.

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Nothing that a parser is given may keep it longer.
const SLOW: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut name, mut seconds, mut seed) = ("all".to_owned(), 10, 1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok()).expect("a number");
        match arg.as_str() {
            "--seconds" => seconds = number(),
            "--seed" => seed = number(),
            _ => name = arg,
        }
    }
    let chosen: Vec<&Target> = TARGETS.iter().filter(|t| name == "all" || t.name == name).collect();
    assert!(!chosen.is_empty(), "no such target: {name}");
    let found =
        chosen.into_iter().map(|target| play(target, Duration::from_secs(seconds), seed)).sum::<usize>();
    ExitCode::from(u8::from(found > 0))
}

/// Plays one target for a while; says how many findings there were.
fn play(target: &Target, time: Duration, seed: u64) -> usize {
    let mut mutator = Mutator::new(seed, (target.seeds)(), target.words);
    let (begun, mut runs, mut found) = (Instant::now(), 0_u64, 0);
    let mut slowest = Duration::ZERO;
    while begun.elapsed() < time && found < 3 {
        let input = mutator.next();
        let before = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let mut took = before.elapsed();
        if took >= SLOW && outcome.is_ok() {
            // Was it the input, or a machine that had other things to do?
            let before = Instant::now();
            (target.run)(&input);
            took = took.min(before.elapsed());
        }
        slowest = slowest.max(took);
        runs += 1;
        match outcome {
            Ok(()) if took < SLOW => {}
            _ => {
                found += 1;
                let file = format!("artifacts/{}-{seed}-{runs}", target.name);
                std::fs::create_dir_all("artifacts").expect("a folder for findings");
                std::fs::write(&file, &input).expect("a file for the finding");
                println!("{}: {file} after {took:?}", target.name);
            }
        }
        // What is new to the parser is worth changing further.
        if let Ok(()) = outcome {
            mutator.keep((target.shape)(&input), input);
        }
    }
    println!(
        "{:<18} {runs:>10} inputs  {:>5} kept  slowest {slowest:?}  {found} findings",
        target.name,
        mutator.kept()
    );
    found
}
