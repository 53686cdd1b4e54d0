//! The tables of programs: what raises a risk, and what only looks, builds or tests.

use agent_core::policy::Risk;

/// Words that raise the risk, with one of these options if there are any.
pub(super) struct Rail {
    /// Words with alternatives, program first.
    pub(super) words: &'static str,
    /// Options of which one must be there.
    pub(super) with: &'static [&'static str],
    /// The risk.
    pub(super) risk: Risk,
}

const fn high(words: &'static str) -> Rail {
    Rail { words, with: &[], risk: Risk::High }
}

const fn high_with(words: &'static str, with: &'static [&'static str]) -> Rail {
    Rail { words, with, risk: Risk::High }
}

const fn critical(words: &'static str) -> Rail {
    Rail { words, with: &[], risk: Risk::Critical }
}

pub(super) const RAISED: &[Rail] = &[
    // history, and what others see of it
    high("git push|send-pack|filter-branch|filter-repo|update-ref|daemon|svn|send-email"),
    high_with("git reset", &["--hard", "--merge", "--keep"]),
    high_with("git clean", &["-f", "--force"]),
    high_with("git checkout|switch|restore", &["-f", "--force", "--discard-changes"]),
    high_with("git checkout", &["--", "."]),
    high("git restore"),
    high_with("git branch|tag", &["-D", "-d", "--delete", "-f", "--force"]),
    high_with("git rebase", &["-x", "--exec"]),
    high_with("git commit", &["--amend"]),
    high("git stash drop|clear"),
    high("git reflog expire|delete"),
    high_with("git gc", &["--prune"]),
    high("git config|credential|bundle"),
    high("git remote add|set-url|remove|rm|rename"),
    high("git submodule foreach"),
    high("git bisect run"),
    high("hg push"),
    high("svn commit|ci|delete"),
    high("jj git push"),
    high("gh|glab"),
    // releases
    high(
        "npm|pnpm|yarn|bun|cnpm publish|unpublish|deprecate|dist-tag|owner|access|token|login|adduser|version|star",
    ),
    high("yarn npm publish"),
    high("cargo publish|yank|owner|login|logout|install|uninstall"),
    high("twine|flit|vsce|ovsx|goreleaser|semantic-release|lerna|changeset|np"),
    high("poetry|uv|hatch|pdm|rye publish"),
    high("gem push|yank|owner"),
    high("mvn deploy|release:perform|release:prepare"),
    high("gradle|gradlew publish"),
    high("dotnet nuget push"),
    high("docker|podman|nerdctl push|login|rm|rmi|kill|system|volume|exec|run"),
    high("docker image|manifest push"),
    high("skopeo|crane|cosign|oras"),
    high("helm push|install|upgrade|uninstall|delete|rollback"),
    high("kubectl|oc apply|delete|create|replace|patch|scale|exec|drain|edit|rollout"),
    high("terraform|tofu apply|destroy|import|state"),
    high("pulumi|ansible|ansible-playbook|serverless|sls|vercel|netlify|fly|flyctl|heroku|wrangler|firebase"),
    high("aws|gcloud|az|gsutil|doctl"),
    // rights
    high(
        "sudo|doas|su|runuser|pkexec|chroot|unshare|nsenter|setcap|visudo|passwd|usermod|useradd|userdel|groupadd",
    ),
    high("chown|chgrp|setfacl"),
    high_with("chmod", &["777", "a+rwx", "u+s", "+s", "4755"]),
    // the network
    high(
        "ssh|scp|sftp|rsync|nc|ncat|netcat|socat|telnet|ftp|ssh-copy-id|ssh-keygen|rclone|nmap|mail|sendmail",
    ),
    // the machine
    high("kill|pkill|killall|skill|fuser"),
    high(
        "systemctl|service|initctl|launchctl|crontab|at|batch|systemd-run|journalctl|sysctl|modprobe|insmod|rmmod",
    ),
    high("mount|umount|losetup|swapon|swapoff|iptables|nft|ufw|ip|ifconfig|route"),
    high("apt|apt-get|dnf|yum|zypper|pacman|apk|brew|snap|flatpak|dpkg|rpm"),
    high("pip|pip3|pipx uninstall"),
    high("gdb|lldb|strace|ltrace"),
    high("npx|bunx|uvx|dlx"),
    high("pnpm|yarn dlx"),
    high("npm exec|init|create"),
    // data
    high("dropdb|mysqladmin|redis-cli|mongosh|mongo"),
    high("crypto|gpg|pass|vault|op|security|age"),
    critical("fdisk|sfdisk|cfdisk|parted|gdisk|sgdisk|wipefs|blkdiscard|hdparm|mkswap|cryptsetup"),
    critical("shutdown|reboot|halt|poweroff|init"),
];

/// Words of what only looks, builds or tests, unless one of these options is there.
pub(super) const LOW: &[(&str, &[&str])] = &[
    (
        "ls|ll|dir|cat|bat|head|tail|less|more|wc|nl|tac|rev|od|xxd|hexdump|strings|file|stat|du|df|tree|exa|eza",
        &[],
    ),
    ("grep|egrep|fgrep|rg|ag|ack|zgrep|look|locate|which|whereis|type|command|hash", &["--pre"]),
    (
        "echo|printf|true|false|:|test|[|pwd|cd|pushd|popd|basename|dirname|realpath|readlink|seq|yes|sleep|date|cal",
        &[],
    ),
    (
        "sort|uniq|cut|tr|paste|join|comm|column|fold|fmt|expand|unexpand|shuf|numfmt|tsort|pr",
        &["-o", "--output"],
    ),
    (
        "diff|cmp|diff3|sdiff|md5sum|sha1sum|sha256sum|sha512sum|b2sum|cksum|sum|base64|base32|jq|yq|xmllint|awk|gawk|mawk",
        &[],
    ),
    ("sed", &["-i", "--in-place", "-e"]),
    ("find", &["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprintf", "-fls"]),
    ("fd|fdfind", &["-x", "-X", "--exec", "--exec-batch"]),
    (
        "env|printenv|uname|whoami|id|groups|hostname|uptime|free|nproc|ps|top|lscpu|lsblk|arch|locale|tty|getconf|ulimit|umask|set|shopt|wait|jobs|return|exit|shift|read|let|local|break|continue|unset|export|declare|alias",
        &[],
    ),
    (
        "time|nice|timeout|nohup|stdbuf|setsid|xargs|exec|ionice|builtin|busybox|parallel|watch|bundle|poetry|uv|pipenv|pdm",
        &[],
    ),
    (
        "git status|diff|log|show|blame|ls-files|ls-tree|ls-remote|rev-parse|rev-list|describe|grep|shortlog|cat-file|merge-base|name-rev|for-each-ref|show-ref|check-ignore|whatchanged|version|help|count-objects|diff-tree|var",
        &["--output", "--ext-diff", "-O"],
    ),
    ("git branch|tag|remote|stash list|show|-v|-a|-l|--list|-r|--show-current", &[]),
    (
        "cargo build|test|check|clippy|fmt|doc|bench|tree|metadata|nextest|version|help|search|verify-project|run|b|t|c|r|--version",
        &["--config"],
    ),
    (
        "rustc|rustfmt|clippy-driver|rustdoc|gcc|g++|cc|c++|clang|clang++|ld|ar|nm|objdump|javac|tsc|swiftc|zig|dotnet|cmake|ninja|meson|bazel|make|gmake|just|ctest",
        &[],
    ),
    ("npm|pnpm|yarn|bun|cnpm test|t|ls|list|outdated|audit|view|why|explain|help|root|bin", &["fix"]),
    ("npm|pnpm|yarn|bun|cnpm run|run-script test|build|lint|check|typecheck|format|tsc|compile", &[]),
    ("yarn|pnpm|bun build|lint|check|typecheck", &[]),
    (
        "pytest|py.test|tox|nox|unittest|jest|vitest|mocha|ava|eslint|prettier|stylelint|biome|rubocop|rspec|phpunit|phpstan|mypy|ruff|flake8|pylint|black|isort|pyright|shellcheck|shfmt|golangci-lint|staticcheck|hadolint|markdownlint|yamllint",
        &[],
    ),
    (
        "python|python3|pypy3 -m pytest|unittest|mypy|ruff|flake8|pylint|black|compileall|json.tool|py_compile|tox",
        &[],
    ),
    ("python|python3|node|perl|ruby|php|go|java|deno|bun --version|-V|-v|version", &[]),
    ("go build|test|vet|fmt|list|doc|version|env|mod|tool", &["-w", "-exec", "-toolexec"]),
    ("mvn|mvnw|gradle|gradlew|sbt test|compile|verify|package|build|check", &[]),
    ("swift build|test|package", &[]),
    ("rake|bin/rails test|spec", &[]),
    ("mix test|compile|format", &[]),
    ("pip|pip3 list|show|freeze|check", &[]),
    ("docker|podman ps|images|version|info|logs|inspect", &[]),
    ("kubectl|oc get|describe|logs|version", &[]),
];
