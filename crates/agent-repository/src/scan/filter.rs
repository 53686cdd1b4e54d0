//! Decides by name what a scan leaves out.

/// Folders that hold other people's code or build results.
const VENDORED: &[&[u8]] = &[
    b"node_modules",
    b"bower_components",
    b"jspm_packages",
    b"vendor",
    b"third_party",
    b"third-party",
    b"thirdparty",
    b"site-packages",
    b"venv",
    b"virtualenv",
    b"__pycache__",
    b"__pypackages__",
    b"target",
    b"dist",
    b"Pods",
    b"Carthage",
    b"DerivedData",
    b"elm-stuff",
];

const SENSITIVE_FOLDERS: &[&[u8]] =
    &[b".ssh", b".aws", b".gnupg", b".kube", b".azure", b".gcloud", b".docker"];

const SENSITIVE_NAMES: &[&[u8]] = &[
    b".env",
    b".envrc",
    b".npmrc",
    b".yarnrc",
    b".yarnrc.yml",
    b".netrc",
    b"_netrc",
    b".pypirc",
    b".pgpass",
    b".my.cnf",
    b".dockercfg",
    b".htpasswd",
    b".git-credentials",
    b".vault-token",
    b".terraformrc",
    b"id_rsa",
    b"id_dsa",
    b"id_ecdsa",
    b"id_ed25519",
    b"id_ecdsa_sk",
    b"id_ed25519_sk",
    b"credentials",
    b"credentials.json",
    b"credentials.toml",
    b"credentials.yml",
    b"credentials.yaml",
    b"client_secret.json",
    b"service-account.json",
    b"service_account.json",
    b"secrets.json",
    b"secrets.toml",
    b"secrets.yml",
    b"secrets.yaml",
    b"master.key",
    b"terraform.tfstate",
    b"terraform.tfstate.backup",
    b"agent.toml",
];

const SENSITIVE_EXTENSIONS: &[&[u8]] = &[
    b".jwt-secret",
    b".pem",
    b".key",
    b".p12",
    b".pfx",
    b".pkcs12",
    b".jks",
    b".keystore",
    b".ppk",
    b".kdbx",
    b".tfvars",
    b".env",
    b".ovpn",
];

/// Endings that say a file with a sensitive name is only an example of one.
const EXAMPLES: &[&[u8]] = &[b".example", b".sample", b".template", b".dist"];

/// Whether a folder of this name holds vendored code or build results.
pub(crate) fn is_vendored_folder(name: &[u8]) -> bool {
    VENDORED.contains(&name)
}

/// Whether a folder of this name holds credentials.
pub(crate) fn is_sensitive_folder(name: &[u8]) -> bool {
    SENSITIVE_FOLDERS.contains(&name)
}

/// Whether a file of this name usually holds secrets.
pub(crate) fn is_sensitive_file(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    if EXAMPLES.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    SENSITIVE_NAMES.contains(&name.as_slice())
        || name.starts_with(b".env.")
        || SENSITIVE_EXTENSIONS.iter().any(|ending| name.ends_with(ending))
}

/// Says whether a path relative to the repository names secrets: `.env` files, private keys,
/// credential stores. Scans, searches and listings leave such files out, and whoever shows files to a
/// language model should ask here first.
///
/// ```
/// assert!(agent_repository::scan::is_sensitive("deploy/.env.production"));
/// assert!(agent_repository::scan::is_sensitive(".ssh/config"));
/// assert!(!agent_repository::scan::is_sensitive("src/credentials.rs"));
/// ```
pub fn is_sensitive(path: &str) -> bool {
    let mut parts = path.as_bytes().split(|byte| *byte == b'/').rev();
    parts.next().is_some_and(is_sensitive_file) || parts.any(is_sensitive_folder)
}

/// Whether a text opens with a private key, whatever its file is called.
pub(crate) fn opens_with_private_key(text: &[u8]) -> bool {
    let head = &text[..text.len().min(256)];
    let first = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"PuTTY-User-Key-File")
        || (first.starts_with(b"-----BEGIN ") && first.windows(11).any(|window| window == b"PRIVATE KEY"))
}
