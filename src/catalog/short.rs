//! The short names under which instances are shown.

use super::data::Data;
use crate::program::{Kind, Program, base};

impl Data {
    /// The short name, which is equal for all processes of one server.
    pub(super) fn short(&self, program: &Program) -> String {
        let names = &program.names;
        let name = match program.kind {
            // A name such as `mcp` does not identify the server, so its scope or folder is used: @playwright/mcp.
            Kind::Package => names.first().map(String::as_str).unwrap_or_default(),
            Kind::Module => names
                .first()
                .and_then(|name| {
                    name.split('.').find(|part| self.says(part).is_some()).or(name.split('.').next())
                })
                .unwrap_or_default(),
            Kind::Script | Kind::Binary | Kind::Task => {
                let own = names.first().map(String::as_str).unwrap_or_default();
                // A folder in which people keep many servers names none of them.
                let project =
                    program.folders.first().map(String::as_str).filter(|_| self.says(own).is_none());
                project.unwrap_or(own)
            }
            Kind::Image => names.first().map(String::as_str).unwrap_or_default(),
            Kind::Inline => names.first().map(String::as_str).unwrap_or_default(),
        };
        self.normal(name)
    }

    fn normal(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase().replace(['_', ':'], "-");
        let (scope, short) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let scope = base(scope).trim_start_matches('@');
        let short = short.strip_prefix("awslabs.").unwrap_or(short);
        let mut name = match short {
            "mcp" | "mcp-server" | "server" | "cli" if !scope.is_empty() => format!("{scope}-{short}"),
            // Docker's own collection: mcp/fetch.
            _ if scope == "mcp" && !short.contains("mcp") => format!("mcp-{short}"),
            _ => short.to_owned(),
        };
        let what = name.strip_prefix("mcp-server-").or(name.strip_prefix("mcp-"));
        if let Some(what) = what.filter(|what| self.server.official.contains(what)) {
            name = format!("server-{what}");
        }
        match self.server.alias.get(name.as_str()) {
            Some(alias) => alias.to_owned(),
            None => name,
        }
    }
}
