//! Draws the processes of an instance as a tree.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr;

use super::Scene;
use super::clean::{clean, fit_command};
use super::figures::command;
use super::style::{self, Screen};
use crate::instance::{Instance, Member};
use crate::process::Pid;
use crate::units::show_size;

/// One line for each member, with children below their parents.
pub(crate) fn members(scene: &Scene<'_>, instance: &Instance<'_>, screen: Screen) -> Vec<String> {
    let mut drawn = Vec::new();
    let mut seen = HashSet::new();
    draw(instance, instance.root.pid(), &mut seen, &mut drawn);
    // A member whose parent is no member (a helper that left the tree) is drawn at the top level.
    for member in &instance.members {
        let pid = member.record.pid();
        if !seen.contains(&pid) {
            draw(instance, pid, &mut seen, &mut drawn);
        }
    }
    drawn.into_iter().map(|(branch, member)| line(scene, &branch, member, screen)).collect()
}

/// The member and all below it, each with the branch that leads to it.
fn draw<'a, 'b>(
    instance: &'b Instance<'a>,
    pid: Pid,
    seen: &mut HashSet<Pid>,
    drawn: &mut Vec<(String, &'b Member<'a>)>,
) {
    // Each member is drawn once, so a loop in the table ends. A hostile table may be thousands of levels deep, so this does
    // not recurse.
    let member = |pid| instance.members.iter().find(|member| member.record.pid() == pid);
    let mut todo = vec![(pid, "  ".to_owned(), String::new())];
    while let Some((pid, margin, elbow)) = todo.pop() {
        let Some(member) = member(pid).filter(|_| seen.insert(pid)) else { continue };
        drawn.push((format!("{margin}{elbow}"), member));
        let below = match elbow.as_str() {
            "" => margin,
            "├─ " => format!("{margin}│  "),
            _ => format!("{margin}   "),
        };
        let children: Vec<Pid> = instance
            .members
            .iter()
            .filter(|child| child.record.parent == pid && child.record.pid() != pid)
            .map(|child| child.record.pid())
            .collect();
        for (i, child) in children.iter().enumerate().rev() {
            let elbow = if i + 1 == children.len() { "└─ " } else { "├─ " };
            todo.push((*child, below.clone(), elbow.to_owned()));
        }
    }
}

/// `  └─ 4250 exited, server 41 MB node .../mcp-server-memory`
fn line(scene: &Scene<'_>, branch: &str, member: &Member<'_>, screen: Screen) -> String {
    let record = member.record;
    let became = scene.outcome(record.id);
    let outcome = became.map(|outcome| format!("{}, ", outcome.as_str())).unwrap_or_default();
    // The branch takes at most half of the line, so that the rest can be read.
    let branch = match screen.width {
        Some(width) if branch.width() > width / 2 => "  …─ ",
        _ => branch,
    };
    let begin = format!("{branch}{} ", record.pid());
    let rest = format!("{} {} ", member.part.as_str(), show_size(record.rss));
    let taken = begin.width() + outcome.width() + rest.width();
    let room = screen.width.map_or(usize::MAX, |width| width.saturating_sub(taken).max(12));
    let rest = rest + &fit_command(&clean(&command(record)), room);
    let faint = |text: &str| screen.paint(style::FAINT, text);
    match became.map(style::outcome) {
        // The outcome is new to the reader, so only it has its colour.
        Some(news) if screen.color => faint(&begin) + &screen.paint(news, &outcome) + &faint(&rest),
        _ => faint(&(begin + &outcome + &rest)),
    }
}
