//! A server of its own.

use crate::certificates::Certificates;
use crate::database::{TestDatabase, query};
use crate::installation;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The variable that names a server to use instead of starting one.
const VARIABLE: &str = "AGENT_TEST_POSTGRES_URL";
const PASSWORD: &str = "not-a-secret";
/// How often the server is asked whether it answers, and how many times.
const ASK_EVERY: Duration = Duration::from_millis(20);
const ASK_TIMES: u32 = 3_000;

/// Starts the server when told to, and ends it, with all its files, when nobody can tell it anything any more:
/// also when the test process was killed.
const KEEPER: &str = r#"
while read -r word; do
    [ -z "$server" ] || wait "$server"
    "$1/postgres" -D "$2/data" >>"$2/log" 2>&1 </dev/null &
    server=$!
done
[ -z "$server" ] || kill -QUIT "$server" 2>/dev/null
wait
rm -rf "$2"
"#;

/// What is special about a server.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Whether commits reach the disk; slower, and of no use unless that is what is measured.
    pub fsync: bool,
    /// Address to listen on.
    pub listen: String,
    /// Words before the server's own, such as `ip netns exec NAME`; whoever can use them is root.
    pub wrapper: Vec<String>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { fsync: false, listen: "127.0.0.1".to_owned(), wrapper: Vec::new() }
    }
}

/// A PostgreSQL server: one of its own, or the one that `AGENT_TEST_POSTGRES_URL` names.
pub struct PostgresCluster {
    /// Address of a database `{}` as an ordinary role that may create databases.
    url: String,
    own: Option<Own>,
    made: AtomicU64,
}

struct Own {
    folder: PathBuf,
    port: u16,
    keeper: Child,
}

impl PostgresCluster {
    /// The server that all tests of this process share, started when first asked for. `None`, and a line that
    /// says so, where there is no PostgreSQL.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Option<PostgresCluster>> = LazyLock::new(|| match std::env::var(VARIABLE) {
            Ok(url) if !url.is_empty() => {
                Some(PostgresCluster { url: with_database(&url, "{}"), own: None, made: AtomicU64::new(0) })
            }
            _ => PostgresCluster::start(ClusterOptions::default()),
        });
        SHARED.as_ref()
    }

    /// A server that no other test uses, whatever the environment says. `None`, and a line that says so, where
    /// no PostgreSQL is installed.
    #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
    pub fn start(options: ClusterOptions) -> Option<Self> {
        let Some(programs) = installation::programs() else {
            eprintln!("no PostgreSQL is installed and {VARIABLE} is not set: this test does nothing");
            return None;
        };
        let own = Own::initialise(&programs, &options);
        let url = format!("postgres://agent:{PASSWORD}@{}:{}/{{}}?sslmode=disable", options.listen, own.port);
        let mut cluster = Self { url, own: Some(own), made: AtomicU64::new(0) };
        cluster.restart();
        let administrator = cluster.url_of("postgres").replacen("agent:", "administrator:", 1);
        for role in ["agent", "encrypted"] {
            let create = format!(
                "CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{PASSWORD}'; GRANT pg_monitor TO {role}"
            );
            query(&administrator, &create).expect("the role is created");
        }
        Some(cluster)
    }

    fn url_of(&self, database: &str) -> String {
        self.url.replace("{}", database)
    }

    /// A new database, a copy of another one (which nobody may be connected to) where one is named.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub fn create_database(&self, template: Option<&str>) -> TestDatabase {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("agent_test_{}_{number}", std::process::id());
        let admin_url = self.url_of("postgres");
        let template = template.unwrap_or("template0 ENCODING 'UTF8'");
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        // Three times as fast, and unknown before version 15.
        let created = query(&admin_url, &format!("{create} STRATEGY file_copy"));
        created.or_else(|_unknown| query(&admin_url, &create)).expect("the database is created");
        TestDatabase { url: self.url_of(&name), admin_url, name }
    }

    fn own(&mut self) -> &mut Own {
        self.own.as_mut().expect("this needs a server of the test's own")
    }

    /// The port of a server of the test's own.
    ///
    /// # Panics
    /// When it is not.
    pub fn port(&self) -> u16 {
        self.own.as_ref().expect("this needs a server of the test's own").port
    }

    /// Files of a server of the test's own: `authority.pem`, which vouches for it under the name `localhost`,
    /// and `stranger.pem`, which does not. `None` for another server.
    ///
    /// The role `encrypted`, with the password of the others, is let in over TLS only.
    pub fn certificate(&self, file: &str) -> Option<PathBuf> {
        self.own.as_ref().map(|own| own.folder.join(file))
    }

    /// Kills the server and everything it has started, as the kernel does when memory runs out.
    ///
    /// # Panics
    /// When it is not the test's own, or does not run.
    pub fn kill(&mut self) {
        let own = self.own();
        let lock = std::fs::read_to_string(own.folder.join("data/postmaster.pid")).expect("the server runs");
        let postmaster = lock.lines().next().expect("its process").to_owned();
        let mut processes = children(&postmaster);
        processes.insert(0, postmaster.clone());
        let killed = Command::new("kill").arg("-KILL").args(&processes).stderr(Stdio::null()).status();
        let _ = killed.expect("kill runs");
        // One that was just being started when the others were counted.
        let late = children(&postmaster);
        if !late.is_empty() {
            drop(Command::new("kill").arg("-KILL").args(&late).stderr(Stdio::null()).status());
        }
    }

    /// Starts the server again after it was killed, and waits until it answers.
    ///
    /// # Panics
    /// When it is not the test's own, or does not answer.
    pub fn restart(&mut self) {
        self.begin_restart();
        self.wait_until_ready();
    }

    /// Starts the server again after it was killed.
    ///
    /// # Panics
    /// When it is not the test's own.
    pub fn begin_restart(&mut self) {
        let input = self.own().keeper.stdin.as_mut().expect("the keeper listens");
        input.write_all(b"start\n").expect("the keeper is told");
    }

    /// Waits until the server answers.
    ///
    /// # Panics
    /// When it does not, within a minute.
    pub fn wait_until_ready(&self) {
        let own = self.own.as_ref().expect("this needs a server of the test's own");
        let administrator = self.url_of("postgres").replacen("agent:", "administrator:", 1);
        let mut last = String::new();
        for _ in 0..ASK_TIMES {
            match query(&administrator, "SELECT 1") {
                Ok(_) => return,
                Err(error) => last = error,
            }
            std::thread::sleep(ASK_EVERY);
        }
        let log = std::fs::read_to_string(own.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not answer: {last}\n{log}");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // The end of its input tells the keeper to clean up.
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

impl Own {
    fn initialise(programs: &Path, options: &ClusterOptions) -> Self {
        let account = installation::account();
        let folder = tempfile::Builder::new().prefix("agent-postgres-").tempdir().expect("a folder").keep();
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        std::fs::write(folder.join("password"), PASSWORD).expect("the password is written");
        give(&folder, account);
        give(&folder.join("password"), account);
        let mut initdb = as_account(Command::new(programs.join("initdb")), account);
        initdb.args(["-U", "administrator", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("--pwfile").arg(folder.join("password")).arg("-D").arg(folder.join("data"));
        let made = initdb.current_dir(&folder).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        configure(&folder, port, options, account);
        let mut keeper = match options.wrapper.split_first() {
            None => as_account(Command::new("sh"), account),
            Some((program, words)) => {
                let mut wrapper = Command::new(program);
                wrapper.args(words);
                if let Some((user, group)) = account {
                    let (user, group) = (user.to_string(), group.to_string());
                    wrapper.args(["setpriv", "--reuid", &user, "--regid", &group, "--clear-groups"]);
                }
                wrapper.arg("sh");
                wrapper
            }
        };
        keeper.args(["-c", KEEPER, "keeper"]).arg(programs).arg(&folder);
        let keeper = keeper.current_dir("/").stdin(Stdio::piped()).process_group(0).spawn();
        Self { folder, port, keeper: keeper.expect("sh runs") }
    }
}

fn configure(folder: &Path, port: u16, options: &ClusterOptions, account: Option<(u32, u32)>) {
    let certificates = Certificates::generate();
    let settings = format!(
        "listen_addresses = '{}'\nport = {port}\nunix_socket_directories = ''\nfsync = {}\n\
         ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\nmax_connections = 200\n",
        options.listen,
        if options.fsync { "on" } else { "off" },
    );
    let settled = std::fs::read_to_string(folder.join("data/postgresql.conf")).expect("the settings");
    let access = "hostssl all encrypted all scram-sha-256\nhost all agent,administrator all scram-sha-256\n";
    let files = [
        ("data/postgresql.conf", settled + &settings),
        ("data/pg_hba.conf", access.to_owned()),
        ("data/server.pem", certificates.server),
        ("data/server.key", certificates.key),
        ("authority.pem", certificates.authority),
        ("stranger.pem", certificates.stranger),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the file is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("the file is private");
        give(&path, account);
    }
}

/// Hands a file to the account that the server runs as.
fn give(path: &Path, account: Option<(u32, u32)>) {
    if let Some((user, group)) = account {
        chown(path, Some(user), Some(group)).expect("the file is given away");
    }
}

fn as_account(mut command: Command, account: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// The processes that a process has started.
fn children(parent: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let is_child = |pid: &String| {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
        // After the name, which may hold anything: state, parent.
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(parent)
    };
    names.filter(is_child).collect()
}

/// The same address with another database.
fn with_database(url: &str, database: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, None), |(base, options)| (base, Some(options)));
    let server = match base.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
        None => base.to_owned(),
    };
    match options {
        Some(options) => format!("{server}/{database}?{options}"),
        None => format!("{server}/{database}"),
    }
}
