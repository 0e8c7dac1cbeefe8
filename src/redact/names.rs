//! Does the name of a flag, a variable, a header or a JSON key say that its value is a secret?

use crate::list::{List, list};

/// Words that make a name one of a secret, anywhere in it.
const SECRET: List = list!(
    "accesskey accountkey adminkey apikey apitoken appkey auth authkey authorization bearer connstr cookie cred
    credential csrf deploykey dsn encryptionkey hmac jwt key licensekey masterkey mfa mnemonic oauth otp pass passcode
    passkey passphrase passwd password pat privatekey pw pwd rootkey sas secret secretkey servicekey sessionkey sharedkey
    sig signature signingkey storagekey subscriptionkey token totp xsrf"
);

/// Words at whose end one of these stands are such words too: `accesstoken`, `dbpassword`. `key` is
/// not among them, because of `monkey` and `hotkey`.
const SECRET_ENDINGS: List = list!("apikey pass passphrase passwd password pwd secret token");

/// Words with such an ending that are no secrets.
const NO_SECRETS: List = list!("bypass compass overpass surpass trespass underpass");

/// Words that do so in the last place: `--user-pin`, and not `--pin-version`. Who has the id of a session has the session.
const SECRET_LAST: List = list!("licence license pin salt sessionid sid");

/// Last words that make it the name of something about a secret: `--key-file`, `token-limit`.
const ABOUT: List = list!(
    "alg algorithm budget cmd command count dir directory disabled enabled endpoint env expiry file
    folder format helper host id ids kind length lifetime limit manager method mode name names path port
    prefix provider ring scheme server size source space stdin store timeout ttl type uri url usage var
    variable version"
);

/// First words with the same effect: `--max-tokens`, `--no-auth`.
const ABOUT_FIRST: List = list!("disable enable is max min no num require skip total use");

/// Does the value of this name have to be hidden? Takes `--api-key`, `API_KEY`, `apiKey`, `X-Api-Key`.
pub(super) fn names_a_secret(name: &str) -> bool {
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    match texts.as_slice() {
        // The shell's own variables, and what is meant to be shown to everyone.
        ["pwd" | "oldpwd"] if name.chars().all(char::is_uppercase) => return false,
        ["publickey"] | ["public", "key"] | ["ssh", "auth", "sock"] => return false,
        [.., "connection", "string"] | ["connectionstring" | "basic" | "sk"] => return true,
        // Vault's second half of a login; a session's id.
        [.., "secret" | "session", "id"] => return true,
        _ => {}
    }
    if ABOUT.contains(last) || (words.len() > 1 && ABOUT_FIRST.contains(first)) {
        return false;
    }
    SECRET_LAST.contains(last)
        || words.iter().any(|word| {
            let singular = word.strip_suffix('s').unwrap_or(word);
            [word.as_str(), singular].iter().any(|word| {
                let ends = || SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending));
                SECRET.contains(word) || ends() && !NO_SECRETS.contains(word)
            })
        })
}

/// The words of a name in lower case, cut at what is no letter or digit, and at `aB` and `ABc`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let humps = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase())));
        if (humps || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "--api-key",
            "API_KEY",
            "apiKey",
            "APIKey",
            "apikey",
            "X-Api-Key",
            "--token",
            "GITHUB_TOKEN",
            "GITHUB_PERSONAL_ACCESS_TOKEN",
            "accessToken",
            "accesstoken",
            "--password",
            "PGPASSWORD",
            "DB_PWD",
            "--passwd",
            "client_secret",
            "Authorization",
            "Proxy-Authorization",
            "--auth",
            "cookie",
            "AZURE_STORAGE_CONNECTION_STRING",
            "connectionString",
            "SENTRY_DSN",
            "GITLAB_PAT",
            "sig",
            "X-Amz-Signature",
            "key",
            "--tokens",
            "OPENAI_API_KEYS",
            "eAPI_KEY",
            "private.key",
            "credentials",
            "--pwd",
            "--dbpass",
            "PGPASS",
            "mysqlPwd",
            "--masterkey",
            "--secret-id",
            "sessionId",
            "--sid",
            "--csrf",
            "--oauth",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn names_about_secrets_and_other_names_are_left() {
        for name in [
            "",
            "--",
            "PWD",
            "OLDPWD",
            "--key-file",
            "TOKEN_PATH",
            "--max-tokens",
            "maxTokens",
            "token-limit",
            "--no-auth",
            "SSH_AUTH_SOCK",
            "public_key",
            "--port",
            "monkey",
            "keyboard",
            "--tokenizer",
            "--author",
            "AWS_ACCESS_KEY_ID",
            "--secret-name",
            "passive",
            "--transport",
            "compass",
            "--bypass",
            "--session-name",
            "--session",
            "sidecar",
            "patch",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
