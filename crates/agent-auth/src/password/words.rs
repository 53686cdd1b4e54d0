//! What people make passwords of: the words that come up again and again wherever passwords leaked, the words of
//! this very service, and the paths of a finger over a keyboard. Lower case, without blanks.

/// Words and whole phrases.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    // for want of an idea
    "password", "passwort", "passwd", "passphrase", "passcode", "pass", "pwd", "motdepasse", "contrasena", "senha", "parola",
    "wachtwoord", "haslo", "heslo", "mypassword", "yourpassword", "thepassword", "newpassword", "oldpassword", "nopassword",
    "thisisapassword", "thisismypassword", "supersecret", "topsecret", "secret", "mysecret", "geheim",
    "letmein", "openup", "opensesame", "changeme", "changeit", "changethis", "pleasechange", "default", "temp", "temporary",
    "test", "testing", "tester", "trial", "example", "sample", "qwerty", "azerty", "qwertz", "abc", "xyz", "asdf", "zxcv",
    "trustno1", "whatever", "nothing", "something", "anything", "noidea", "forgot", "remember", "dontforget", "guest",
    "welcome", "willkommen", "bienvenue", "hello", "helloworld", "hallo", "bonjour", "goodbye", "access", "login", "logon",
    "signin", "enter", "private", "secure", "security", "unlock", "master", "correcthorsebatterystaple", "monday",
    // of computers and of this service
    "admin", "administrator", "administrateur", "root", "toor", "super", "superuser", "sysadmin", "system", "server", "client",
    "user", "username", "operator", "manager", "service", "support", "backup", "database", "oracle", "postgres", "mysql",
    "computer", "internet", "network", "windows", "linux", "ubuntu", "debian", "apple", "android", "samsung", "google", "github",
    "gitlab", "docker", "kubernetes", "jenkins", "cisco", "router", "wireless", "wifi", "email", "facebook", "linkedin", "matrix",
    "agent", "agentserver", "demo", "demouser", "demodemo", "developer", "development", "production", "staging", "company",
    "office", "hacker", "cyber", "crypto", "bitcoin", "robot", "model", "rust", "python", "java", "code", "coder", "coding",
    // of love and of people
    "iloveyou", "iloveu", "loveyou", "iloveme", "ihateyou", "lovely", "lover", "love", "loveme", "myself", "forever", "always",
    "babygirl", "babyboy", "baby", "sweetheart", "sweety", "sweet", "honey", "sugar", "cutie", "beautiful", "pretty", "princess",
    "prince", "queen", "king", "angel", "devil", "god", "jesus", "jesuschrist", "christ", "heaven", "blessed", "faith", "family",
    "mother", "father", "mommy", "daddy", "mama", "papa", "brother", "sister", "friend", "friends", "bestfriend", "girl", "boy",
    "lady", "mister", "ninja", "pirate", "killer", "soldier", "warrior", "hunter", "ranger", "knight", "wizard", "fuckyou",
    "fuckoff", "fuck", "asshole", "bitch", "sexy", "pussy", "bigdick", "shit", "bullshit", "money", "dollar", "million", "rich",
    "happy", "smile", "lucky", "crazy", "cool", "awesome", "perfect", "magic", "dream", "dreams", "party", "music", "guitar",
    // names
    "michael", "michelle", "jessica", "jennifer", "ashley", "amanda", "daniel", "joshua", "matthew", "andrew", "anthony",
    "robert", "william", "thomas", "charlie", "charles", "george", "jordan", "justin", "nicole", "samantha", "elizabeth",
    "stephanie", "alexander", "alexandra", "andrea", "natasha", "victoria", "christian", "christopher", "jonathan", "benjamin",
    "nicholas", "patrick", "richard", "martin", "maria", "anna", "sarah", "laura", "emma", "sophie", "hannah", "maggie", "buster",
    "bailey", "ginger", "pepper", "shadow", "jasmine", "amber", "heather", "crystal", "melissa", "danielle", "vanessa", "david",
    "james", "john", "peter", "paul", "mark", "kevin", "brian", "jason", "steven", "eric", "adam", "alice", "bob", "oliver",
    "harley", "taylor", "tyler", "austin", "dakota", "mustang", "ferrari", "porsche", "mercedes", "yamaha", "corvette", "hellokitty",
    // animals and the world
    "monkey", "dragon", "tiger", "lion", "panther", "eagle", "falcon", "phoenix", "dolphin", "butterfly", "kitty", "kitten",
    "puppy", "doggy", "doggie", "dog", "cat", "horse", "chicken", "turtle", "spider", "snake", "bear", "wolf", "fish", "bird",
    "unicorn", "flower", "flowers", "rose", "lily", "cherry", "banana", "orange", "lemon", "cookie", "cheese", "chocolate",
    "coffee", "pizza", "sunshine", "sunflower", "sun", "moon", "star", "stars", "rainbow", "summer", "winter", "spring",
    "autumn", "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "ocean", "beach", "fire", "water", "earth", "diamond",
    "silver", "golden", "gold", "black", "white", "purple", "yellow", "green", "blue", "red", "pink", "london", "paris", "berlin",
    "newyork", "chicago", "boston", "dallas", "texas", "california", "america", "canada", "england", "germany", "france", "india",
    // games, teams and stories
    "football", "soccer", "baseball", "basketball", "hockey", "tennis", "golf", "swimming", "liverpool", "arsenal", "chelsea",
    "manchester", "manchesterunited", "united", "barcelona", "realmadrid", "juventus", "cowboys", "steelers", "yankees",
    "lakers", "raiders", "redsox", "starwars", "startrek", "superman", "batman", "spiderman", "ironman", "pokemon", "pikachu",
    "minecraft", "fortnite", "warcraft", "nintendo", "playstation", "xbox", "gamer", "mario", "zelda", "naruto", "harrypotter",
    "gandalf", "frodo", "skywalker", "lordoftherings", "metallica", "nirvana", "slipknot", "blink182", "eminem", "rockstar",
];

/// Rows of keyboards and other orders that a password follows, either way and from anywhere.
pub(super) const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qweasdzxc",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j",
    "!@#$%^&*()",
    "1!2@3#4$5%6^7&8*9(0)",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
];
