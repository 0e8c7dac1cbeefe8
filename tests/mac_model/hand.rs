//! What holds of acting and looking on every system (`src/sys/kernel_tests.rs`), on the model.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_reap::process::{Pid, ProcessId, Uid};
use mcp_reap::sys::macos::{Calls, Held, MacKernel};

use crate::kernel_tests::{self, Stage};
use crate::machine::Machine;
use crate::scenes::desktop;
use crate::world::{KILL, Life, Manners};

struct Model(Machine);

impl Model {
    fn new() -> Model {
        Model(Machine::of(desktop()))
    }
}

/// Number and unique number.
struct Child(u32, u64);

impl Stage for Model {
    type Kernel = MacKernel<Machine>;
    type Child = Child;

    fn kernel(&self, all_users: bool, stop: Arc<AtomicUsize>) -> MacKernel<Machine> {
        MacKernel::by(self.0.clone(), all_users, stop).unwrap()
    }

    fn sleeper(&self) -> Child {
        let mut world = self.0.world.borrow_mut();
        let viewer = world.viewer;
        let pid = world.spawn(viewer, &["sleep", "600"]);
        world.stand_on_null(pid);
        // We are its parent, and collect it when we are told to.
        world.body(pid).manners = Manners { uncollected: true, ..Manners::default() };
        Child(pid, world.processes[&pid].unique)
    }

    fn busy(&self) -> Child {
        let child = self.sleeper();
        let pid = child.0;
        // 10 ms of every 20, in ticks of 125/3 ns.
        for turn in 1..100 {
            let work = move |world: &mut crate::world::World| world.body(pid).ticks += 240_000;
            self.0.world.borrow_mut().happens(20_000 * turn, work);
        }
        child
    }

    fn pid(&self, child: &Child) -> Pid {
        Pid(child.0)
    }

    fn stop(&self, child: &Child) {
        self.0.world.borrow_mut().body(child.0).stopped = true;
    }

    fn is_alive(&self, child: &mut Child) -> bool {
        let world = self.0.world.borrow();
        world.processes.get(&child.0).is_some_and(|body| body.unique == child.1 && body.life == Life::Lives)
    }

    fn collect(&self, mut child: Child) -> Option<i32> {
        let alive = self.is_alive(&mut child);
        let mut world = self.0.world.borrow_mut();
        world.exit(child.0);
        world.processes.remove(&child.0);
        let sent = world.signals.iter().rev().find(|(_, unique, _)| *unique == child.1);
        if alive { Some(KILL) } else { sent.map(|(_, _, signal)| *signal) }
    }

    fn me(&self) -> (Pid, Uid) {
        let viewer = self.0.viewer();
        (viewer.pid, viewer.uid)
    }

    fn epoch(&self) -> f64 {
        self.0.world.borrow().now as f64 / 1e6
    }

    fn signal_in(&self, milliseconds: u64, stop: Arc<AtomicUsize>) -> Box<dyn FnOnce() -> Duration> {
        let at = self.0.now() + Duration::from_millis(milliseconds);
        let strike = move |_: &mut crate::world::World| stop.store(2, Ordering::Relaxed);
        self.0.world.borrow_mut().happens(milliseconds * 1_000, strike);
        let machine = self.0.clone();
        Box::new(move || machine.now().checked_sub(at).unwrap())
    }

    fn moment(&self) {
        self.0.sleep(Duration::from_millis(5));
    }

    /// A number that was given to another process is another scene's business (`endings.rs`).
    fn mistaken(&self, _: Held, _: ProcessId) -> Option<Held> {
        None
    }
}

kernel_tests::on!(kernel_tests, Model::new());
