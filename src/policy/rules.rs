//! `[[server]]`: servers the catalog does not know, and limits for single servers.

use super::limits::Limits;
use crate::pattern::Pattern;

/// One `[[server]]` entry.
#[derive(Clone, Debug)]
pub struct ServerRule {
    /// The name it is shown under, and by which limits and allow rules find it.
    pub name: String,
    /// Matched against the resolved program's names (package, module, script, bin, image); `None`
    /// when the entry only sets limits for a server that is known already.
    pub program: Option<Pattern>,
    /// Override the global limits for this server.
    pub limits: Limits,
    /// Where the entry stands, as `config.toml:12`.
    pub origin: String,
}

impl ServerRule {
    /// Does this entry teach a server that goes by one of these names (package, module, script, bin
    /// or image of what really runs)? An entry without `program` teaches none.
    #[must_use]
    pub fn teaches<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        self.program.as_ref().is_some_and(|program| names.into_iter().any(|name| program.matches(name)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rule_teaches_what_its_program_matches_and_without_one_nothing() {
        let mut rule = ServerRule {
            name: "notes".into(),
            program: Some(Pattern::parse("notes-*.py").unwrap()),
            limits: Limits::default(),
            origin: String::new(),
        };
        assert!(rule.teaches(["python3", "notes-serve.py"]));
        assert!(!rule.teaches(["notes"]));
        assert!(!rule.teaches([]));
        rule.program = None;
        assert!(!rule.teaches(["notes-serve.py"]));
    }
}
