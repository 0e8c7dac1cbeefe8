//! Turns `src/catalog/catalog.toml` into constants, so that no start has to read it. `src/catalog/data.rs` says what
//! each part is; a key that it does not have, or one that is missing, does not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::{env, fs};

use toml::{Table, Value};

const SOURCE: &str = "src/catalog/catalog.toml";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let text = fs::read_to_string(SOURCE).expect("the catalog is there");
    let mut catalog: Table = text.parse().expect("the catalog is TOML");
    let tools = take(&mut catalog, "tools");
    let clients = take(&mut catalog, "client");
    let server = catalog["server"].as_table_mut().expect("[server] is a table");
    let modes = modes(server.remove("modes").as_ref().expect("[server] has modes"));
    server.insert("modes_of".to_owned(), Value::Table(modes));
    let heads = heads(&catalog, &clients);
    // By kind; the kinds are for the reader.
    let tools: Vec<&str> = tools.values().flat_map(|words| text_of(words).split_whitespace()).collect();
    let mut code = String::from("pub(super) static DATA: Data = Data {\n");
    for (name, section) in &catalog {
        let fields = section.as_table().expect("all else stands in tables");
        // [supervisor] names = ...
        if fields.keys().eq(["names"]) {
            line(&mut code, name, &value(&fields["names"]));
            continue;
        }
        let mut begin = name.clone();
        begin[..1].make_ascii_uppercase();
        let fields: String = fields.iter().map(|(key, of)| format!("{key}: {}, ", value(of))).collect();
        line(&mut code, name, &format!("{begin} {{ {fields} }}"));
    }
    line(&mut code, "tool_names", &list(&tools));
    line(&mut code, "heads", &list(&heads));
    line(&mut code, "clients", &marks(&clients));
    code.push_str("};\n");
    let folder = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(format!("{folder}/catalog.rs"), code).expect("cargo made the folder");
}

fn line(code: &mut String, name: &str, value: &str) {
    writeln!(code, "    {name}: {value},").expect("a String takes everything");
}

fn take(catalog: &mut Table, name: &str) -> Table {
    match catalog.remove(name) {
        Some(Value::Table(table)) => table,
        _ => panic!("[{name}] is a table"),
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// One value as code: a text of several lines is a list of words, a table is pairs by key.
fn value(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\n') => list(&text.split_whitespace().collect::<Vec<_>>()),
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => format!("&{:?}", items.iter().map(text_of).collect::<Vec<_>>()),
        Value::Table(table) => {
            let pairs = table.iter().map(|(key, of)| format!("({key:?}, {}), ", self::value(of)));
            format!("Map(&[{}])", pairs.collect::<String>())
        }
        other => panic!("no such value in the catalog: {other}"),
    }
}

/// Words in order, each once. A name may have spaces in it, so where each lies is said here.
fn list(words: &[&str]) -> String {
    let (mut text, mut places) = (String::new(), Vec::new());
    for word in BTreeSet::from_iter(words) {
        places.push((text.len(), text.len() + word.len()));
        text.push_str(word);
    }
    format!("WordList::of(&Words::of({text:?}, &{places:?}))")
}

/// The arguments that make a server of a program, by program.
fn modes(value: &Value) -> Table {
    let mut modes: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for mode in value.as_array().expect("modes are a list") {
        let (program, arguments) = text_of(mode).split_once(' ').unwrap_or((text_of(mode), ""));
        modes.entry(program).or_default().push(arguments.into());
    }
    modes.into_iter().map(|(program, all)| (program.to_owned(), Value::Array(all))).collect()
}

/// All names by which a program that runs by itself may be more than a mere program.
fn heads<'c>(catalog: &'c Table, clients: &'c Table) -> Vec<&'c str> {
    let mut heads = Vec::new();
    for section in ["init", "supervisor", "server"] {
        heads.extend(text_of(&catalog[section]["names"]).split_whitespace());
    }
    heads.extend(catalog["helper"]["browsers"].as_array().expect("a list").iter().map(text_of));
    heads.extend(catalog["server"]["modes_of"].as_table().expect("made above").keys().map(String::as_str));
    let marks = clients.values().flat_map(|marks| marks.as_array().expect("a list")).map(text_of);
    // "q chat" is known by its first word, "Claude.app" and "/.cursor-server/" by where they lie.
    let named =
        marks.filter(|mark| !mark.starts_with('/') && !mark.ends_with(['*']) && !mark.ends_with(".app"));
    heads.extend(named.map(|mark| mark.split_once(' ').map_or(mark, |(program, _)| program)));
    heads
}

/// The clients by the form of what is known of them.
fn marks(clients: &Table) -> String {
    let mut by_form: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (client, marks) in clients {
        for mark in marks.as_array().expect("a client's marks are a list") {
            let mark = text_of(mark);
            let (form, mark) = match mark.strip_suffix('*') {
                Some(beginning) => ("beginnings", beginning),
                None if mark.starts_with('/') => ("paths", mark),
                None if mark.ends_with(".app") => ("apps", mark),
                None if mark.contains(' ') => ("commands", mark),
                None => ("names", mark),
            };
            by_form.entry(form).or_default().push((mark, client));
        }
    }
    let names = by_form.get_mut("names").expect("clients have names");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0].0 != pair[1].0), "a name is of two clients");
    let fields = by_form.iter().map(|(form, marks)| match *form {
        "names" => format!("names: Map(&{marks:?}), "),
        form => format!("{form}: &{marks:?}, "),
    });
    format!("Clients {{ {} }}", fields.collect::<String>())
}
