//! `agent users`: the accounts of a tenant, at a server, for its administrators.

use crate::backend::{Place, Server};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Style, Terminal, moment, plain};
use crate::password;
use crate::table::{Cell, Table, number, text, word};
use agent_client::{CreateUser, Role, UpdateUser, User, UserList};
use agent_core::ids::UserId;
use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret;

const EXAMPLES: &str = "\
Examples:
  agent users list
  agent users create ada --role user
  agent users set-role ada admin
  agent users disable ada

Accounts belong to a server, and are for its administrators: name one with --server URL, or log in with `agent login URL`.";

const CREATE_EXAMPLES: &str = "\
Examples:
  agent users create ada                       asks for the first password
  agent users create ada --role viewer --password-stdin < file";

const LIST_EXAMPLES: &str = "\
Examples:
  agent users list
  agent users list --json | jq '.users[] | select(.disabled)'";

const ROLE_EXAMPLES: &str = "\
Examples:
  agent users set-role ada viewer
  agent users set-role 7 admin                 by the number of the account";

const DISABLE_EXAMPLES: &str = "\
Examples:
  agent users disable ada                      every login and token is refused from now on
  agent users disable ada --undo               and accepted again";

/// Arguments of `agent users`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Users {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an account
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// The name to log in with
        username: String,
        /// What they may do
        #[arg(long, default_value = "user")]
        role: RoleName,
        /// Read the first password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the accounts
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Give an account another role
    #[command(after_help = ROLE_EXAMPLES)]
    SetRole {
        /// The account, by its name or number
        user: String,
        /// What they may do from now on
        role: RoleName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse every login and token of an account
    #[command(after_help = DISABLE_EXAMPLES)]
    Disable {
        /// The account, by its name or number
        user: String,
        /// Accept them again
        #[arg(long)]
        undo: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What an account may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Looks at plans of their own
    Viewer,
    /// Makes and carries out plans of their own
    User,
    /// Looks after the tenant
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::User => Self::User,
            RoleName::Admin => Self::Admin,
        }
    }
}

impl Users {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let server = self.place.at_server("accounts")?;
        match self.action {
            Action::Create { username, role, password_stdin, json } => {
                let password = if password_stdin {
                    password::from_standard_input("password")?
                } else {
                    first_password(&username).await?
                };
                let user = CreateUser { username, password, role: role.into() };
                show_one(&terminal, &server.client.users().create(&user).await?, json)?;
            }
            Action::List { json } => list(&server, &terminal, json).await?,
            Action::SetRole { user, role, json } => {
                let update = UpdateUser { role: Some(role.into()), ..UpdateUser::default() };
                change(&server, &user, &update, json, &terminal).await?;
            }
            Action::Disable { user, undo, json } => {
                let update = UpdateUser { disabled: Some(!undo), ..UpdateUser::default() };
                change(&server, &user, &update, json, &terminal).await?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn first_password(username: &str) -> Result<secrecy::SecretString, Failure> {
    let advice = "hand in the password with --password-stdin";
    let password = password::ask_secret(&format!("First password of {}", plain(username)), advice).await?;
    let again = password::ask_secret("Again", advice).await?;
    if password.expose_secret() == again.expose_secret() {
        Ok(password)
    } else {
        Err(Failure::usage("the two passwords differ; no account was made"))
    }
}

async fn change(
    server: &Server,
    user: &str,
    update: &UpdateUser,
    json: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let id = named(server, user).await?;
    show_one(terminal, &server.client.users().update(id, update).await?, json)
}

/// The account of that name, or else of that number.
async fn named(server: &Server, user: &str) -> Result<UserId, Failure> {
    let users = server.client.users().list().await?.users;
    let by_name = users.iter().find(|account| account.username == user);
    let number: Option<i64> = user.parse().ok();
    let by_number = || users.iter().find(|account| Some(account.user_id.get()) == number);
    let found = by_name.or_else(by_number).map(|account| account.user_id);
    found.ok_or_else(|| Failure::usage(format!("there is no account {user:?}; `agent users list` shows all")))
}

fn word_of(role: Role) -> String {
    let word = serde_json::to_value(role).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn state_of(user: &User) -> &'static str {
    match (user.disabled, user.operator) {
        (true, _) => "disabled",
        (false, true) => "operator",
        (false, false) => "active",
    }
}

fn show_one(terminal: &Terminal, user: &User, json: bool) -> Result<(), Failure> {
    if json {
        return terminal.json(user);
    }
    let (name, role, state) = (plain(&user.username), word_of(user.role), state_of(user));
    terminal.line(format_args!("account {} ({name}): {role}, {state}", user.user_id));
    Ok(())
}

async fn list(server: &Server, terminal: &Terminal, json: bool) -> Result<(), Failure> {
    let found = server.get::<UserList>(&["users"], &()).await?;
    if json {
        return terminal.json(&found.json);
    }
    let mut table = Table::new([number("id"), text("name"), word("role"), word("state"), word("made")]);
    for user in &found.value.users {
        let state = match (state_of(user), user.disabled) {
            (state, true) => Cell::styled(state, Style::Red),
            (state, false) => state.into(),
        };
        table.row([
            user.user_id.into(),
            user.username.as_str().into(),
            word_of(user.role).into(),
            state,
            moment(user.created_at).into(),
        ]);
    }
    table.show(terminal);
    Ok(())
}
