//! What a person may want to do about it: nothing is wrong, and no run does it unasked.

use super::Scene;
use super::clean::clean;
use super::figures::count;
use crate::classify::Copies;
use crate::units::show_size;

/// One sentence or two for each server that runs in many copies while no limit is set on their number.
#[must_use]
pub fn copies(scene: &Scene<'_>) -> Vec<String> {
    scene.judgement.copies.iter().map(of).collect()
}

fn of(copies: &Copies) -> String {
    let under = match &copies.client {
        Some(client) => format!(" under {} ({})", client.name, client.pid),
        None => String::new(),
    };
    let cost = match &copies.client {
        Some(client) => format!(
            "{} does not start one again that was ended: its conversation loses these tools",
            client.name
        ),
        None => "nobody starts one again that was ended".to_owned(),
    };
    clean(&format!(
        "{} of {}{under} in {}; `--max-count {}` would end {} ({}). {cost}.",
        count_copies(copies.roots.len()),
        copies.server,
        count(copies.generations, "generation"),
        copies.max_count,
        copies.would_end,
        show_size(copies.would_free),
    ))
}

fn count_copies(n: usize) -> String {
    if n == 1 { "1 copy".to_owned() } else { format!("{n} copies") }
}
