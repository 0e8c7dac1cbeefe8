//! Each error at each call: what is not known never makes a verdict deadlier.

use crate::machine::{Fault, Kind, Machine};
use crate::scenes::{doomed, lively};

#[test]
fn each_error_at_each_call_of_a_look_ends_nobody_who_would_live_without_it() {
    let (world, right) = lively();
    let probe = Machine::of(world);
    assert_eq!(doomed(&probe), right);
    let calls = probe.calls();
    let (mut runs, mut spared) = (0, 0);
    for (number, kind) in (1..).zip(&calls) {
        for errno in kind.errnos() {
            let machine = Machine::of(lively().0);
            machine.fail(Fault::One(number, *errno));
            let doomed = doomed(&machine);
            assert!(doomed.iter().all(|pid| right.contains(pid)), "{kind:?} {errno} at {number}: {doomed:?}");
            runs += 1;
            spared += usize::from(doomed != right);
        }
    }
    println!("{runs} looks over {} calls with one error each; {spared} of them spared somebody", calls.len());
    assert!(runs > 500 && spared > 0, "{runs} runs, {spared} spared");
}

#[test]
fn each_error_at_every_call_of_a_kind_ends_nobody_either() {
    let probe = Machine::of(lively().0);
    let right = doomed(&probe);
    let calls = probe.calls();
    let mut kinds: Vec<Kind> = calls.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let mut runs = 0;
    for kind in kinds {
        for errno in kind.errnos() {
            for from in [1, calls.len() as u64 / 4, calls.len() as u64 / 2] {
                let machine = Machine::of(lively().0);
                machine.fail(Fault::All(kind, from, *errno));
                let doomed = doomed(&machine);
                assert!(
                    doomed.iter().all(|pid| right.contains(pid)),
                    "all {kind:?} {errno} from {from}: {doomed:?}"
                );
                runs += 1;
            }
        }
    }
    println!("{runs} looks with an error at every call of a kind");
}

#[test]
fn a_memory_shortage_at_one_descriptor_hides_that_one_alone() {
    let (world, right) = lively();
    let probe = Machine::of(world);
    doomed(&probe);
    let first = (1..).zip(probe.calls()).find(|(_, kind)| *kind == Kind::FdInfo).unwrap().0;
    let machine = Machine::of(lively().0);
    machine.fail(Fault::One(first, crate::machine::ENOMEM));
    assert!(right.len() - doomed(&machine).len() <= 3, "all other servers are judged as before");
}
