//! Hints about things that are not wrong and that no run changes by itself.

use std::time::Duration;

use super::Scene;
use super::clean::clean;
use super::figures::count;
use crate::classify::{ClientRef, Copies};
use crate::containers::Container;
use crate::units::{show_duration, show_size};

/// One sentence or two for each server that runs in many copies while no limit is set on their number.
pub(crate) fn copies(scene: &Scene<'_>) -> Vec<String> {
    scene.judgement.copies.iter().map(of).collect()
}

fn of(copies: &Copies) -> String {
    let (under, cost) = match &copies.client {
        Some(ClientRef { name, pid }) => (
            format!(" under {name} ({pid})"),
            format!("{name} does not start an ended copy again: its conversation loses these tools"),
        ),
        None => (String::new(), "nobody starts an ended copy again".to_owned()),
    };
    clean(&format!(
        "{} of {}{under} in {}; `--max-count {}` would end {} ({}). {cost}.",
        count(copies.roots.len(), "copy"),
        copies.server,
        count(copies.generations, "generation"),
        copies.max_count,
        copies.would_end,
        show_size(copies.would_free),
    ))
}

/// One sentence for each container without a client.
pub(crate) fn containers(scene: &Scene<'_>) -> Vec<String> {
    let found = scene.containers.map(|found| found.containers.as_slice()).unwrap_or_default();
    let of = |container: &Container| {
        let Container { engine, image, name, .. } = container;
        let age = container.created.map(|created| scene.snapshot.taken_at_epoch() - created);
        let age = age.filter(|age| *age >= 0.0).map(|age| show_duration(Duration::from_secs(age as u64)));
        let age = age.map(|age| format!(", {age} old")).unwrap_or_default();
        let why = match container.interactive {
            Some(true) => "it was started for a client that is gone",
            _ => "its client is gone, or it was started in the background",
        };
        clean(&format!(
            "container without a client: {image} ({name}{age}), {why}; `{engine} stop {name}` ends it"
        ))
    };
    found.iter().map(of).collect()
}
