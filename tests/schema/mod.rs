//! As much of JSON Schema (2020-12) as docs/schema needs, so that real output can be held against it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::sync::LazyLock;

use serde_json::Value;

/// The schema of one line of the audit log.
pub static AUDIT_EVENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/audit-event.schema.json"));
    serde_json::from_str(text).unwrap()
});

/// What speaks against a value; nothing for a valid one.
///
/// # Panics
/// On a keyword that is not understood: it would be passed over in silence.
pub fn problems(schema: &Value, value: &Value) -> Vec<String> {
    check(schema, schema, value, "")
}

fn check(whole: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fail = |what: String| found.push(format!("{place}: {what}"));
    for (keyword, wanted) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let target = whole.pointer(wanted.as_str().unwrap().trim_start_matches('#')).unwrap();
                check(whole, target, value, place).into_iter().for_each(&mut fail);
            }
            "type" => {
                let fits = match wanted.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                };
                if !fits {
                    fail(format!("{value} is no {wanted}"));
                }
            }
            "const" if value != wanted => fail(format!("{value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                fail(format!("{value} is none of {wanted}"));
            }
            "const" | "enum" => {}
            "minimum" if value.as_i64() < wanted.as_i64() => fail(format!("{value} < {wanted}")),
            "maximum" if value.as_i64() > wanted.as_i64() => fail(format!("{value} > {wanted}")),
            "minimum" | "maximum" => {}
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                if !value.as_str().is_some_and(|text| pattern.is_match(text)) {
                    fail(format!("{value} does not match {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        fail(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(whole, schema, value, &format!("{place}/{name}"))
                            .into_iter()
                            .for_each(&mut fail);
                    }
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(whole, wanted, item, &format!("{place}/[]")).into_iter().for_each(&mut fail);
                }
            }
            "oneOf" => {
                let branches = wanted.as_array().unwrap();
                let answers: Vec<Vec<String>> =
                    branches.iter().map(|branch| check(whole, branch, value, place)).collect();
                match answers.iter().filter(|answer| answer.is_empty()).count() {
                    1 => {}
                    // The branch with the fewest problems is the one that was meant.
                    0 => answers.into_iter().min_by_key(Vec::len).unwrap().into_iter().for_each(&mut fail),
                    more => fail(format!("{more} of oneOf fit")),
                }
            }
            other => panic!("keyword {other}"),
        }
    }
    found
}

/// The fields that an event may have beyond those of the schema: none, so that every field is documented.
pub fn undocumented(event: &Value) -> Vec<String> {
    let schema = &*AUDIT_EVENT;
    let branches = schema["oneOf"].as_array().unwrap();
    let branch = branches.iter().find(|branch| branch["title"] == event["event"]);
    let known = |name: &str| {
        schema["properties"].get(name).is_some()
            || branch.is_some_and(|branch| branch["properties"].get(name).is_some())
    };
    event.as_object().unwrap().keys().filter(|name| !known(name)).cloned().collect()
}
