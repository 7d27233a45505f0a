//! How long a model may take, and what is derived from it.

use std::time::Duration;

use crate::ai::Model;
use crate::ai::questions::work::Times;
use crate::config;

fn model(seconds: &str) -> anyhow::Result<Model> {
    let env = |name: &str| (name == "SRE_COPILOT_LLM_TIMEOUT_S").then(|| seconds.to_owned());
    Model::from_config(&config::load(None, env)?.0)
}

#[test]
fn a_call_has_ended_before_anybody_else_may_take_over() {
    for seconds in [1, 60, 300, 3600] {
        let model = model(&seconds.to_string()).unwrap();
        assert_eq!(model.call_limit(), Duration::from_secs(seconds));
        assert!(model.call_ends() > model.call_limit(), "{seconds}");
        let times = Times::of(&model);
        assert!(!times.last_call().is_zero() && times.last_call() + times.call < times.lease, "{times:?}");
    }
}

#[test]
fn a_limit_that_makes_no_sense_is_refused() {
    for seconds in ["0", "3601"] {
        let error = model(seconds).unwrap_err().to_string();
        assert_eq!(error, format!("llm_timeout_s is {seconds}; it takes 1 to 3600"));
    }
    assert!(model("-1").is_err());
}

#[test]
fn without_settings_a_call_may_take_what_the_default_says() {
    let default = Model::from_config(&config::load(None, |_| None).unwrap().0).unwrap();
    assert_eq!(Model::none().call_limit(), default.call_limit());
}
