//! The output of `doctor`.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use super::clean::clean;
use super::grid::paragraph;
use super::style::{self, Screen};

/// Whether one thing works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// It works.
    Fine,
    /// Worth knowing; it works all the same.
    Note,
    /// Something does not work.
    Broken,
}

/// One thing that was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DoctorLine {
    /// The thing, in a word or two.
    pub(crate) what: Cow<'static, str>,
    /// Whether it works.
    pub(crate) state: Grade,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mend: Option<String>,
}

impl DoctorLine {
    /// A line for something that works.
    pub(crate) fn fine(what: impl Into<Cow<'static, str>>, found: impl Into<String>) -> DoctorLine {
        DoctorLine { what: what.into(), state: Grade::Fine, found: found.into(), mend: None }
    }

    /// A line for something that is worth knowing.
    pub(crate) fn note(
        what: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> DoctorLine {
        DoctorLine { what: what.into(), state: Grade::Note, found: found.into(), mend: Some(mend.into()) }
    }

    /// A line for something that does not work.
    pub(crate) fn broken(
        what: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> DoctorLine {
        DoctorLine { what: what.into(), state: Grade::Broken, found: found.into(), mend: Some(mend.into()) }
    }
}

/// For people: one line each, and below it an arrow and what to do.
pub(crate) fn text(lines: &[DoctorLine], screen: Screen) -> String {
    let width = lines.iter().map(|line| line.what.len()).max().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        let (mark, style) = match line.state {
            Grade::Fine => ("ok", style::GOOD),
            Grade::Note => ("--", style::WARNING),
            Grade::Broken => ("!!", style::BAD),
        };
        let mark = screen.paint(style, mark);
        let margin = " ".repeat(width + 6);
        let mut text: String =
            line.found.lines().map(|found| paragraph(&margin, &clean(found), screen.width)).collect();
        if let Some(mend) = line.mend.as_ref().filter(|mend| !mend.is_empty()) {
            text += &paragraph(&margin, &format!("-> {}", clean(mend)), screen.width);
        }
        let text = text.strip_prefix(&margin).unwrap_or("\n");
        let _ = write!(out, "{mark}  {:<width$}  {text}", line.what);
    }
    out
}

/// For programs: one JSON object.
pub(crate) fn json(lines: &[DoctorLine]) -> String {
    let broken = lines.iter().any(|line| line.state == Grade::Broken);
    serde_json::json!({"schema": 1, "works": !broken, "looked_at": lines}).to_string()
}
