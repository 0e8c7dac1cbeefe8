//! Real output against docs/schema, by an independent validator.
//!
//! The schemas leave room for fields of later versions. Here there is none: every object that lists its properties is closed,
//! so that a field that the program prints and no schema describes is a problem as well.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// Every schema by its name, as it stands in the repository.
pub static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let read = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".schema.json")?.to_owned();
        Some((name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()))
    };
    let files = fs::read_dir(folder).unwrap().filter_map(|entry| read(&entry.unwrap().path()));
    files.collect()
});

/// The schema of one line of the audit log.
pub static AUDIT_EVENT: LazyLock<&'static Value> = LazyLock::new(|| &SCHEMAS["audit-event"]);

/// A schema's validator, made once; a scene that looks at one kind of document makes only that.
fn validator(name: &str, strict: bool) -> Arc<Validator> {
    static MADE: Mutex<BTreeMap<(String, bool), Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    Arc::clone(made.entry((name.to_owned(), strict)).or_insert_with(|| Arc::new(build(name, strict))))
}

fn build(name: &str, strict: bool) -> Validator {
    // Others refer to parts of the report and of the schedule's, and to nothing else.
    let schemas = ["report", "schedule-status", name].map(|name| {
        let mut schema = SCHEMAS[name].clone();
        if strict {
            close(&mut schema);
        }
        schema
    });
    let mut registry = Registry::new();
    for schema in &schemas {
        registry = registry.add(schema["$id"].as_str().unwrap(), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&schemas[2]).unwrap()
}

/// Closes every object that lists its properties; the branches of a `oneOf` are no objects of their own.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("type") == Some(&json!("object")) && map.contains_key("properties") {
                map.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What speaks against a value; nothing for a valid one that has no field beyond those described.
pub fn problems(name: &str, value: &Value) -> Vec<String> {
    found(&validator(name, true), value)
}

/// What speaks against a value of any version: more fields are none of it.
pub fn problems_of_any_version(name: &str, value: &Value) -> Vec<String> {
    found(&validator(name, false), value)
}

fn found(validator: &Validator, value: &Value) -> Vec<String> {
    let problem = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(value).map(problem).collect()
}

/// Every property of a schema, as `file#name.name[].name`, through references; of a `oneOf` those of every branch.
pub fn described(name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    walk(name, &SCHEMAS[name], "", &mut Vec::new(), &mut |path| {
        all.insert(path);
    });
    all
}

fn walk(file: &str, schema: &Value, place: &str, through: &mut Vec<String>, each: &mut impl FnMut(String)) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let (other, pointer) = target.split_once('#').unwrap_or((target, ""));
        let other = other.strip_suffix(".schema.json").unwrap_or(file).to_owned();
        let key = format!("{other}#{pointer}");
        if !through.contains(&key) {
            through.push(key);
            let target = SCHEMAS[&other].pointer(pointer).unwrap_or_else(|| panic!("no {target} in {file}"));
            walk(&other, target, place, through, each);
            through.pop();
        }
    }
    for branch in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        walk(file, branch, place, through, each);
    }
    if let Some(items) = schema.get("items") {
        walk(file, items, &format!("{place}[]"), through, each);
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{place}.{name}");
        each(path.clone());
        walk(file, property, &path, through, each);
    }
}

/// The properties that a value has, in the same form.
pub fn seen(value: &Value, place: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = format!("{place}.{name}");
                all.insert(path.clone());
                seen(value, &path, all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| seen(item, &format!("{place}[]"), all)),
        _ => {}
    }
}
