//! Several language models in place of one.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use agent_core::model::{
    Completion, Message, ModelDescription, ModelError, Prompt, Silent, StopReason, TokenSink, Usage,
};
use agent_core::ports::LanguageModel;
use agent_llm::{FailingOver, FailoverPolicy, LlmSettings, Profile, Provider, connect_profiles};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

type Answer = Result<&'static str, ModelError>;

/// Gives its answers in order; an error comes after "half" was shown when `shows` is set.
struct Told {
    name: &'static str,
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<usize>,
    shows: bool,
}

impl Told {
    fn new(name: &'static str, answers: Vec<Answer>) -> Arc<Self> {
        Arc::new(Self { name, answers: Mutex::new(answers.into()), asked: Mutex::default(), shows: false })
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

#[async_trait]
impl LanguageModel for Told {
    fn describe(&self) -> ModelDescription {
        ModelDescription { provider: "told".into(), model: self.name.into() }
    }

    async fn complete(&self, _prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        *self.asked.lock().unwrap() += 1;
        // Calls that are made at the same time come in between here.
        tokio::task::yield_now().await;
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok("again"));
        if answer.is_ok() || self.shows {
            sink.token(answer.as_ref().unwrap_or(&"half"));
        }
        let content = answer?.to_owned();
        Ok(Completion {
            content,
            tool_calls: Vec::new(),
            usage: Usage::default(),
            stop: StopReason::EndTurn,
            model: self.name.into(),
        })
    }
}

/// Time that passes only when told.
#[derive(Default)]
struct Time(AtomicU64);

impl Time {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

fn over(models: &[&Arc<Told>]) -> (FailingOver, Arc<Time>) {
    let profiles = models
        .iter()
        .map(|model| Profile { name: model.name.into(), model: (*model).clone() as Arc<dyn LanguageModel> });
    let policy =
        FailoverPolicy { first_rest: Duration::from_secs(30), longest_rest: Duration::from_secs(100) };
    let (time, start) = (Arc::new(Time::default()), Instant::now());
    let passed = time.clone();
    let clock = move || start + Duration::from_secs(passed.0.load(Ordering::Relaxed));
    (FailingOver::with_clock(profiles.collect(), policy, clock).unwrap(), time)
}

async fn who_answers(model: &FailingOver) -> String {
    model.complete(&Prompt::default(), &mut Silent).await.unwrap().model
}

fn down() -> Answer {
    Err(ModelError::Unavailable("down".into()))
}

fn limited(seconds: u64) -> Answer {
    let retry_after = Some(Duration::from_secs(seconds));
    Err(ModelError::RateLimited { detail: "slow down".into(), retry_after })
}

#[tokio::test]
async fn what_is_the_providers_own_trouble_goes_to_the_next() {
    let troubles = [
        ModelError::Unavailable("x".into()),
        ModelError::TimedOut(Duration::from_secs(1)),
        ModelError::Unauthorized("x".into()),
        ModelError::QuotaExhausted("x".into()),
        ModelError::Malformed("x".into()),
        ModelError::RateLimited { detail: "x".into(), retry_after: None },
    ];
    for trouble in troubles {
        let (first, second) = (Told::new("first", vec![Err(trouble)]), Told::new("second", vec![]));
        assert_eq!(who_answers(&over(&[&first, &second]).0).await, "second");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_handed_on_at_once() {
    let faults = [
        ModelError::Refused("x".into()),
        ModelError::ContextOverflow("x".into()),
        ModelError::Misconfigured("x".into()),
        ModelError::ScriptExhausted("x".into()),
    ];
    for fault in faults {
        let (first, second) = (Told::new("first", vec![Err(fault)]), Told::new("second", vec![]));
        let (model, _) = over(&[&first, &second]);
        assert!(model.complete(&Prompt::default(), &mut Silent).await.is_err());
        assert_eq!(second.asked(), 0);
        assert_eq!(who_answers(&model).await, "first");
    }
}

#[tokio::test]
async fn a_profile_that_failed_rests_and_is_tried_again_afterwards() {
    let first = Told::new("first", vec![down(), down(), Ok("back")]);
    let second = Told::new("second", vec![]);
    let (model, time) = over(&[&first, &second]);
    assert_eq!(model.describe().model, "first");
    assert_eq!(who_answers(&model).await, "second");
    assert_eq!(model.describe().model, "second");
    time.pass(29);
    assert_eq!(who_answers(&model).await, "second");
    assert_eq!(first.asked(), 1);
    time.pass(1);
    // Tried once more, in vain: now it rests twice as long.
    assert_eq!(who_answers(&model).await, "second");
    time.pass(59);
    assert_eq!((who_answers(&model).await.as_str(), first.asked()), ("second", 2));
    time.pass(1);
    assert_eq!((who_answers(&model).await.as_str(), first.asked()), ("first", 3));
    assert_eq!(who_answers(&model).await, "first");
}

#[tokio::test]
async fn the_pause_that_a_provider_asks_for_is_its_rest_within_bounds() {
    let first = Told::new("first", vec![limited(70), limited(100_000)]);
    let second = Told::new("second", vec![]);
    let (model, time) = over(&[&first, &second]);
    assert_eq!(who_answers(&model).await, "second");
    time.pass(69);
    assert_eq!((who_answers(&model).await.as_str(), first.asked()), ("second", 1));
    time.pass(1);
    assert_eq!((who_answers(&model).await.as_str(), first.asked()), ("second", 2));
    time.pass(100);
    assert_eq!(who_answers(&model).await, "first");
}

#[tokio::test]
async fn only_one_call_tries_a_profile_whose_rest_is_over() {
    let first = Told::new("first", vec![down(), down()]);
    let second = Told::new("second", vec![]);
    let (model, time) = over(&[&first, &second]);
    who_answers(&model).await;
    time.pass(30);
    let (one, two, three) = tokio::join!(who_answers(&model), who_answers(&model), who_answers(&model));
    assert_eq!([one, two, three], ["second", "second", "second"]);
    assert_eq!(first.asked(), 2);
}

#[tokio::test]
async fn a_profile_that_refuses_a_request_is_there_again() {
    let first = Told::new("first", vec![down(), Err(ModelError::Refused("x".into()))]);
    let second = Told::new("second", vec![]);
    let (model, time) = over(&[&first, &second]);
    assert_eq!(who_answers(&model).await, "second");
    time.pass(30);
    model.complete(&Prompt::default(), &mut Silent).await.unwrap_err();
    assert_eq!(who_answers(&model).await, "first");
}

#[tokio::test]
async fn when_all_rest_the_one_that_rests_the_shortest_is_asked_first() {
    let first = Told::new("first", vec![Err(ModelError::Unauthorized("x".into()))]);
    let second = Told::new("second", vec![down()]);
    let (model, _) = over(&[&first, &second]);
    let error = model.complete(&Prompt::default(), &mut Silent).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable(_)), "the last error is told: {error:?}");
    assert_eq!(who_answers(&model).await, "second");
    assert_eq!(first.asked(), 1);
}

#[tokio::test]
async fn pauses_that_all_asked_for_are_kept_and_told() {
    let (first, second) = (Told::new("first", vec![limited(50)]), Told::new("second", vec![limited(20)]));
    let (model, time) = over(&[&first, &second]);
    model.complete(&Prompt::default(), &mut Silent).await.unwrap_err();
    time.pass(5);
    let error = model.complete(&Prompt::default(), &mut Silent).await.unwrap_err();
    let ModelError::RateLimited { retry_after: Some(pause), .. } = error else { panic!("{error:?}") };
    assert!(pause == Duration::from_secs(15), "{pause:?}");
    assert_eq!((first.asked(), second.asked()), (1, 1));
    time.pass(15);
    assert_eq!(who_answers(&model).await, "second");
}

#[derive(Default)]
struct Watcher(Vec<String>);

impl TokenSink for Watcher {
    fn token(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }

    fn restart(&mut self) {
        self.0.push("(anew)".into());
    }
}

#[tokio::test]
async fn whoever_watches_is_told_that_a_half_shown_answer_is_void() {
    let broken = Told { shows: true, ..Arc::into_inner(Told::new("first", vec![down()])).unwrap() };
    let silent = Told::new("second", vec![down()]);
    let (model, _) = over(&[&Arc::new(broken), &silent, &Told::new("third", vec![Ok("whole")])]);
    let mut watcher = Watcher::default();
    model.complete(&Prompt::default(), &mut watcher).await.unwrap();
    assert_eq!(watcher.0, ["half", "(anew)", "whole"]);
}

#[tokio::test]
async fn profiles_are_made_from_a_list_of_settings() {
    let script = |text: &str| {
        let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let (broken, good) = (script(r#"[{"fault": "unauthorized"}]"#), script(r#"[{"text": "here"}]"#));
    let scripted = |file: &tempfile::NamedTempFile| LlmSettings {
        provider: Some(Provider::Scripted),
        script: Some(file.path().to_owned()),
        max_retries: 0,
        ..LlmSettings::default()
    };
    let model = connect_profiles(vec![scripted(&broken), scripted(&good)]).unwrap();
    let prompt = Prompt { messages: vec![Message::user("x")], ..Prompt::default() };
    let answer = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.content, "here");
    let stem = good.path().file_stem().unwrap().to_string_lossy().into_owned();
    assert_eq!((answer.model, model.describe().model), (stem.clone(), stem));
    assert!(connect_profiles(vec![scripted(&good)]).is_ok());
    let faulty = connect_profiles(vec![scripted(&good), LlmSettings::default()]).err().unwrap();
    assert!(matches!(&faulty, ModelError::Misconfigured(text) if text.contains("profile 2")), "{faulty}");
    assert!(matches!(connect_profiles(vec![]).err().unwrap(), ModelError::Misconfigured(_)));
}
