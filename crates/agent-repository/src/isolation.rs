//! A folder of its own for each plan, so that the user's files change only when the user says so.
//!
//! Knows: git work trees, branches and commits, made so that nothing of the repository's configuration runs.
//! Never knows: plans beyond their number, tasks, models.
//!
//! A plan of a git repository works in a linked work tree, on a branch of its own that begins at the commit
//! that was checked out. A folder without commits is copied into a private repository first. Either way the
//! user's files, index, stash and hooks stay as they are; what the plan did is shown by [`Isolated::diff`],
//! brought to the user's files by [`Isolated::plan_merge`] and thrown away by [`IsolatedWorkspaces::discard`].
//! Ignored files, submodules and what is not committed do not come along.
//!
//! ```
//! use agent_repository::isolation::IsolatedWorkspaces;
//! use agent_repository::path_guard::Root;
//!
//! # fn main() -> Result<(), agent_repository::Error> {
//! let (user, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
//! std::fs::write(user.path().join("a.txt"), "one\n").unwrap();
//!
//! let workspaces = IsolatedWorkspaces::new(state.path().to_path_buf());
//! let isolated = workspaces.open(user.path(), 7)?;
//! std::fs::write(isolated.path().join("a.txt"), "two\n").unwrap();
//! isolated.commit("plan 7, task 1: change a.txt")?;
//! assert_eq!(std::fs::read_to_string(user.path().join("a.txt")).unwrap(), "one\n");
//!
//! let root = Root::open(user.path())?;
//! isolated.plan_merge(&root)?.apply(&root)?;
//! assert_eq!(std::fs::read_to_string(user.path().join("a.txt")).unwrap(), "two\n");
//! workspaces.discard(7)?;
//! # Ok(())
//! # }
//! ```

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::file_lock::FileLock;
use crate::git::process::Git;

mod changes;
mod record;

/// How long one git command may take: a checkout of a large repository does.
const TIME_LIMIT: Duration = Duration::from_secs(300);
/// How many names are tried for a branch; others may belong to servers with plans of the same number.
const MOST_BRANCHES: u32 = 100;

/// The folders of plans.
#[derive(Debug, Clone)]
pub struct IsolatedWorkspaces {
    folder: PathBuf,
}

/// The folder of one plan.
#[derive(Debug, Clone)]
pub struct Isolated {
    record: Record,
    /// The commit that the plan began at.
    base: String,
    path: PathBuf,
    lock: PathBuf,
    git: Git,
}

/// What is remembered of a plan's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The user's folder.
    repository: PathBuf,
    /// The branch that holds the plan's commits.
    branch: String,
    /// The commit that it began at; none while it is being made.
    base: Option<String>,
    /// The repository that the branch is in: the user's, or a private one.
    common_directory: PathBuf,
    /// What git keeps about this work tree.
    git_directory: PathBuf,
    /// Whether the repository was made for this plan.
    private: bool,
}

impl IsolatedWorkspaces {
    /// Folders of plans below `folder`, which is made when it is needed. It must not lie inside a repository
    /// that plans work on.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of a plan that works on `repository`; made at the first call, the same at every other.
    /// One that a crash left half made is made anew.
    ///
    /// # Errors
    /// [`Error::Request`] when the folder of plans lies inside `repository` or git is not installed;
    /// [`Error::Git`] when git refuses; [`Error::Workspace`] when a folder cannot be made.
    pub fn open(&self, repository: &Path, plan: i64) -> Result<Isolated, Error> {
        if let Some(isolated) = self.find(plan)? {
            return Ok(isolated);
        }
        if let Some(record) = self.remembered(plan)?.filter(|record| record.base.is_some()) {
            return self.restore(plan, record);
        }
        self.discard(plan)?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|source| Error::Workspace { path: self.folder.clone(), source })?;
        let failed = |source| Error::Workspace { path: repository.to_path_buf(), source };
        let repository = repository.canonicalize().map_err(failed)?;
        let folder = self.folder.canonicalize().map_err(failed)?;
        if folder.starts_with(&repository) {
            let detail = format!(
                "the folder for isolated workspaces, {}, lies inside the repository {}; keep the data of the \
                 server outside of it",
                folder.display(),
                repository.display()
            );
            return Err(Error::Request { detail });
        }
        match head_of(&repository)? {
            Some((git, head)) => self.link(&repository, plan, git, &head),
            None => self.copy(&repository, plan),
        }
    }

    /// The folder of a plan, if it has one.
    ///
    /// # Errors
    /// [`Error::Workspace`] when what is remembered of it cannot be read.
    pub fn find(&self, plan: i64) -> Result<Option<Isolated>, Error> {
        let Some(record) = self.remembered(plan)? else { return Ok(None) };
        let Some(base) = record.base.clone() else { return Ok(None) };
        let path = self.path(plan);
        if !path.is_dir() {
            return Ok(None);
        }
        let git = Git::open(record.git_directory.clone(), path.clone(), TIME_LIMIT)?;
        let lock = self.folder.join(format!("plan-{plan}.lock"));
        Ok(git.map(|git| Isolated { record, base, path, lock, git }))
    }

    /// Removes the folder of a plan with its branch and everything in it. Nothing happens if there is none.
    ///
    /// # Errors
    /// [`Error::Git`] and [`Error::Workspace`] when something cannot be removed; calling it again goes on.
    pub fn discard(&self, plan: i64) -> Result<(), Error> {
        let Some(record) = self.remembered(plan)? else { return Ok(()) };
        let path = self.path(plan);
        gone(&path, fs::remove_dir_all(&path))?;
        if record.private {
            gone(&record.common_directory, fs::remove_dir_all(&record.common_directory))?;
        } else if let Some(git) = Git::open(record.common_directory.clone(), record.repository, TIME_LIMIT)? {
            git.tell(&["worktree", "prune"])?;
            let branch = format!("refs/heads/{}", record.branch);
            git.tell(&["update-ref", "-d", &branch])?;
        }
        remove_file(&self.folder.join(format!("plan-{plan}.lock")))?;
        self.forget(plan)
    }

    fn path(&self, plan: i64) -> PathBuf {
        self.folder.join(format!("plan-{plan}"))
    }

    /// A linked work tree on a new branch.
    fn link(&self, repository: &Path, plan: i64, git: Git, head: &str) -> Result<Isolated, Error> {
        let path = self.path(plan);
        let common_directory = common_directory(&git, repository)?;
        let mut record = Record {
            repository: repository.to_path_buf(),
            branch: free_branch(&git, plan)?,
            base: None,
            git_directory: common_directory.clone(),
            common_directory,
            private: false,
        };
        self.remember(plan, &record)?;
        let target = text(&path)?;
        git.tell(&["worktree", "add", "--quiet", "--no-track", "-b", &record.branch, target, head])?;
        record.git_directory = linked_directory(&path)?;
        record.base = Some(head.to_owned());
        self.finish(plan, record)
    }

    /// A private repository that begins with a copy of the folder.
    fn copy(&self, repository: &Path, plan: i64) -> Result<Isolated, Error> {
        let path = self.path(plan);
        let private = self.folder.join(format!("plan-{plan}.git"));
        let mut record = Record {
            repository: repository.to_path_buf(),
            branch: branch_name(plan, 1),
            base: None,
            common_directory: private.clone(),
            git_directory: private.clone(),
            private: true,
        };
        self.remember(plan, &record)?;
        let missing = || Error::Request {
            detail: "isolated workspaces need git; install it, or let the plan work in the repository itself"
                .to_owned(),
        };
        let git = Git::init(private.clone(), repository.to_path_buf(), TIME_LIMIT)?.ok_or_else(missing)?;
        git.tell(&["symbolic-ref", "HEAD", &format!("refs/heads/{}", record.branch)])?;
        git.tell(&["add", "--all", "--", "."])?;
        git.tell(&["commit", "--quiet", "--no-verify", "--allow-empty", "-m", "The folder as it was"])?;
        record.base = Some(head(&git)?.ok_or_else(missing)?);
        fs::create_dir(&path).map_err(|source| Error::Workspace { path: path.clone(), source })?;
        let working = Git::open(private, path, TIME_LIMIT)?.ok_or_else(missing)?;
        working.tell(&["reset", "--hard", "--quiet"])?;
        self.finish(plan, record)
    }

    /// The folder anew, with what is committed, after somebody removed it.
    fn restore(&self, plan: i64, mut record: Record) -> Result<Isolated, Error> {
        let path = self.path(plan);
        let missing = || Error::Workspace {
            path: record.common_directory.clone(),
            source: io::ErrorKind::NotFound.into(),
        };
        if record.private {
            fs::create_dir(&path).map_err(|source| Error::Workspace { path: path.clone(), source })?;
            let git = Git::open(record.common_directory.clone(), path, TIME_LIMIT)?.ok_or_else(missing)?;
            git.tell(&["reset", "--hard", "--quiet"])?;
        } else {
            let user = record.repository.clone();
            let git = Git::open(record.common_directory.clone(), user, TIME_LIMIT)?.ok_or_else(missing)?;
            git.tell(&["worktree", "prune"])?;
            git.tell(&["worktree", "add", "--quiet", text(&path)?, &record.branch])?;
            record.git_directory = linked_directory(&path)?;
        }
        self.finish(plan, record)
    }

    fn finish(&self, plan: i64, record: Record) -> Result<Isolated, Error> {
        self.remember(plan, &record)?;
        self.find(plan)?
            .ok_or_else(|| Error::Workspace { path: self.path(plan), source: io::ErrorKind::NotFound.into() })
    }
}

impl Isolated {
    /// Where the plan works.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The branch that holds its commits.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.record.branch
    }

    /// The user's folder that it was made from.
    #[must_use]
    pub fn repository(&self) -> &Path {
        &self.record.repository
    }

    /// Commits everything that differs from the last commit; ignored files stay out. Answers the commit, or
    /// `None` when there is nothing new.
    ///
    /// # Errors
    /// [`Error::Git`] when git refuses, [`Error::Busy`] when another commit takes all too long.
    pub fn commit(&self, message: &str) -> Result<Option<String>, Error> {
        let lock = FileLock::acquire(&self.lock);
        let lock = lock.map_err(|source| Error::Workspace { path: self.lock.clone(), source })?;
        let _lock = lock.ok_or(Error::Busy)?;
        self.remove_stale_locks()?;
        self.git.tell(&["add", "--all", "--", "."])?;
        if self.git.says_yes(&["diff", "--cached", "--quiet", "--no-ext-diff", "--no-textconv"])? {
            return Ok(None);
        }
        self.git.tell(&["commit", "--quiet", "--no-verify", "--cleanup=verbatim", "-m", message])?;
        head(&self.git).map_err(Error::from)
    }

    /// The reference of its newest commit.
    fn tip(&self) -> String {
        format!("refs/heads/{}", self.record.branch)
    }

    /// Removes what a git that was killed left: while our lock is held, none of ours is at work, and commands
    /// of the plan cannot write there.
    fn remove_stale_locks(&self) -> Result<(), Error> {
        let branch = format!("{}.lock", self.tip());
        let git = &self.record.git_directory;
        let locks =
            [git.join("index.lock"), git.join("HEAD.lock"), self.record.common_directory.join(branch)];
        locks.iter().try_for_each(|path| remove_file(path))
    }

    /// All commits of the plan as one git-style unified diff.
    ///
    /// # Errors
    /// [`Error::Git`], also when the diff has more than 32 MiB.
    pub fn diff(&self) -> Result<String, Error> {
        let range = format!("{}..{}", self.base, self.tip());
        let options =
            ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", &range, "--"];
        Ok(String::from_utf8_lossy(&self.git.tell(&options)?).into_owned())
    }
}

/// The repository whose top folder this is with its present commit; `None` without either.
fn head_of(repository: &Path) -> Result<Option<(Git, String)>, Error> {
    let Some(git) = Git::at(repository, TIME_LIMIT)? else { return Ok(None) };
    Ok(head(&git)?.map(|head| (git, head)))
}

fn head(git: &Git) -> Result<Option<String>, crate::git::Error> {
    let commit = ["rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}"];
    let answer = git.answer_if_any(&commit)?;
    Ok(answer.map(|answer| String::from_utf8_lossy(&answer).trim_end_matches('\n').to_owned()))
}

/// What all work trees of a repository share.
fn common_directory(git: &Git, work_tree: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStringExt;
    let mut answer = git.tell(&["rev-parse", "--git-common-dir"])?;
    if answer.last() == Some(&b'\n') {
        answer.pop();
    }
    let path = work_tree.join(std::ffi::OsString::from_vec(answer));
    path.canonicalize().map_err(|source| Error::Workspace { path, source })
}

/// What git keeps about a work tree that it has just made.
fn linked_directory(path: &Path) -> Result<PathBuf, Error> {
    let link = path.join(".git");
    let failed = |source| Error::Workspace { path: link.clone(), source };
    let content = fs::read_to_string(&link).map_err(failed)?;
    let directory = content.strip_prefix("gitdir: ").map(str::trim_end);
    let directory = directory.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    Path::new(directory).canonicalize().map_err(failed)
}

fn branch_name(plan: i64, number: u32) -> String {
    if number == 1 { format!("agent/plan-{plan}") } else { format!("agent/plan-{plan}.{number}") }
}

fn free_branch(git: &Git, plan: i64) -> Result<String, Error> {
    for number in 1..=MOST_BRANCHES {
        let branch = branch_name(plan, number);
        if !git.says_yes(&["show-ref", "--verify", "--quiet", &format!("refs/heads/{branch}")])? {
            return Ok(branch);
        }
    }
    let detail = format!(
        "all branches from agent/plan-{plan} to agent/plan-{plan}.{MOST_BRANCHES} exist; delete some"
    );
    Err(Error::Request { detail })
}

fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Request {
        detail: format!("the path of the data folder, {}, is not UTF-8; choose another", path.display()),
    })
}

fn remove_file(path: &Path) -> Result<(), Error> {
    gone(path, fs::remove_file(path))
}

/// What is not there needs no removing.
fn gone(path: &Path, removed: io::Result<()>) -> Result<(), Error> {
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Workspace { path: path.to_path_buf(), source })
        }
        _ => Ok(()),
    }
}
