//! Where each value of the file stands in it.

use std::collections::BTreeMap;

use toml::de::DeTable;

/// The line, from 1, of each key of each plain section, as `reap.grace`. Entries of lists
/// (`[[allow]]`) are not among them. A text that is no TOML has none.
pub(super) fn lines(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let Ok(document) = DeTable::parse(text) else { return found };
    for (section, value) in document.get_ref() {
        let Some(table) = value.get_ref().as_table() else { continue };
        for key in table.keys() {
            let at = key.span().start.min(text.len());
            let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            found.insert(format!("{}.{}", section.get_ref(), key.get_ref()), line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_key_has_its_line() {
        let text = "limits.max_count = 2\n\n[reap] # so\ngrace = \"1s\"\n\"min_age\" = \"2s\"\n[[allow]]\nname = \"x\"\n";
        let lines = lines(text).into_iter().collect::<Vec<_>>();
        let expected = [("limits.max_count", 1), ("reap.grace", 4), ("reap.min_age", 5)];
        assert_eq!(lines, expected.map(|(key, line)| (key.to_owned(), line)));
    }
}
