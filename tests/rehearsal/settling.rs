//! Is a target still at work? Rehearsed with processes that have done what the test says.

use std::collections::HashMap;
use std::time::Duration;

use mcp_reap::bytes::Argv;
use mcp_reap::plan::Plan;
use mcp_reap::process::{Pid, ProcessId};
use mcp_reap::reap::{Activity, HeldPipe, Lookout, ProcessRow, ProcessTable, Refusal, Settling};

use crate::plan;
use crate::stage::{id, obedient};

/// What each process has done so far.
#[derive(Default)]
struct Work(HashMap<ProcessId, Activity>);

impl Work {
    fn does(&mut self, index: usize, cpu_ms: u64, written: Option<u64>) {
        let one = self.0.entry(id(index)).or_default();
        one.cpu += Duration::from_millis(cpu_ms);
        one.written = written.map(|written| one.written.unwrap_or(0) + written);
    }
}

impl Lookout for Work {
    fn process_table(&mut self) -> ProcessTable {
        ProcessTable { rows: Vec::<ProcessRow>::new(), complete: false }
    }
    fn wires(&mut self, _: ProcessId) -> Option<Vec<HeldPipe>> {
        None
    }
    fn argv(&mut self, _: ProcessId) -> Argv {
        Argv::default()
    }
    fn tracer(&mut self, _: ProcessId) -> Result<Option<Pid>, Refusal> {
        Ok(None)
    }
    fn activity(&mut self, id: ProcessId) -> Option<Activity> {
        self.0.get(&id).copied()
    }
}

fn targets(count: usize, size: usize) -> Plan {
    plan(&vec![obedient(); count], size)
}

/// Whether the only target is still finishing after each of these seconds, in which its members did this.
fn finishing(size: usize, seconds: &[&[(usize, u64, Option<u64>)]]) -> Vec<bool> {
    let plan = targets(size, size);
    let mut work = Work::default();
    (0..size).for_each(|index| work.does(index, 5_000, Some(70_000)));
    let mut now = Duration::ZERO;
    let mut settling = Settling::begin(&plan, &mut work, now);
    let mut answers = Vec::new();
    for deeds in seconds {
        deeds.iter().for_each(|(index, cpu, written)| work.does(*index, *cpu, *written));
        now += Duration::from_secs(1);
        answers.push(!settling.still_finishing(&plan, &mut work, now).is_empty());
    }
    answers
}

#[test]
fn who_did_much_before_and_does_nothing_now_is_not_waited_for() {
    assert_eq!(finishing(2, &[&[]]), [false]);
}

#[test]
fn fifty_milliseconds_of_a_second_or_one_byte_is_work() {
    assert_eq!(finishing(1, &[&[(0, 49, Some(0))]]), [false]);
    assert_eq!(finishing(1, &[&[(0, 50, Some(0))]]), [true]);
    assert_eq!(finishing(1, &[&[(0, 0, Some(1))]]), [true]);
    assert_eq!(finishing(3, &[&[(0, 20, Some(0)), (1, 20, Some(0)), (2, 20, Some(0))]]), [true], "together");
}

#[test]
fn the_processor_time_is_that_of_a_second_however_long_the_look_took() {
    let plan = targets(1, 1);
    for (seconds, expected) in [(2, 0), (1, 1)] {
        let mut work = Work::default();
        work.does(0, 0, Some(0));
        let mut settling = Settling::begin(&plan, &mut work, Duration::ZERO);
        work.does(0, 60, Some(0));
        let answer = settling.still_finishing(&plan, &mut work, Duration::from_secs(seconds));
        assert_eq!(answer.len(), expected, "60 ms in {seconds} s");
    }
}

#[test]
fn where_writing_cannot_be_read_the_processor_alone_tells() {
    assert_eq!(finishing(1, &[&[(0, 10, None)], &[(0, 60, None)]]), [false, true]);
}

#[test]
fn who_moved_must_be_quiet_twice_so_that_a_burst_now_and_then_is_seen() {
    let (burst, nothing): (&[_], &[_]) = (&[(0, 0, Some(9))], &[]);
    assert_eq!(finishing(1, &[burst, nothing, burst, nothing, nothing]), [true, true, true, true, false]);
}

#[test]
fn a_child_that_joins_has_done_all_it_did_since() {
    let before = targets(1, 1);
    let mut work = Work::default();
    work.does(0, 100, Some(100));
    let mut settling = Settling::begin(&before, &mut work, Duration::ZERO);
    // It compresses what is to be saved.
    work.does(1, 900, Some(0));
    let after = targets(2, 2);
    assert_eq!(settling.still_finishing(&after, &mut work, Duration::from_secs(1)).len(), 1);
}

#[test]
fn only_those_that_move_are_named_and_who_has_gone_is_not() {
    let plan = targets(3, 1);
    let mut work = Work::default();
    (0..3).for_each(|index| work.does(index, 0, Some(0)));
    let mut settling = Settling::begin(&plan, &mut work, Duration::ZERO);
    work.does(1, 999, Some(0));
    work.0.remove(&id(2));
    let moving = settling.still_finishing(&plan, &mut work, Duration::from_secs(1));
    assert_eq!(moving.iter().map(|target| target.root()).collect::<Vec<_>>(), [id(1)]);
}
