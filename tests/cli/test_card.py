import shlex

import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

BOTH = "card original.npy tuned.npy -b ws353 --resamples 200"


def _run(run, command):
    return run(*shlex.split(command))


def test_a_section_is_printed_and_a_whole_card_on_request(run, in_tables):
    plain = _run(run, BOTH)
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert plain.stdout.startswith("## What fine-tuning changed\n\n`tuned.npy` was compared with ")
    whole = _run(run, f"{BOTH} --name wordy")
    assert whole.stdout.endswith(f"---\n\n{plain.stdout}")
    assert ModelCard(whole.stdout).data.model_name == "wordy"


def test_scores_are_written_as_the_hub_reads_them(run, in_tables):
    asked = f"{BOTH} -b family.txt --hub-dataset ws353=owner/pairs:all --eval-results"
    result = _run(run, f"{asked} scores.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("## What fine-tuning changed")
    assert result.stderr == "scores.yaml leaves out family: no --hub-dataset names it.\n"
    text = (in_tables / "scores.yaml").read_text("utf-8")
    (entry,) = parse_eval_result_entries(yaml.safe_load(text))
    assert (entry.dataset_id, entry.task_id) == ("owner/pairs", "all")
    alone = _run(run, f"{asked} - --quiet")
    assert (alone.stdout, alone.stderr) == (text, "")


def test_no_name_on_the_hub_is_made_up(run, in_tables):
    refused = {
        "--eval-results s.yaml": "need each other: the Hub lists a score only under a data set",
        "--hub-dataset ws353=a/b:c": "need each other",
        "--eval-results s.yaml --hub-dataset a/b:c": "'a/b:c' names no benchmark; write ",
        "--eval-results s.yaml --hub-dataset ws353=ws353": "as OWNER/NAME:TASK",
        "--eval-results s.yaml --hub-dataset ws33=a/b:c": "did you mean 'ws353'?",
    }
    for options, sentence in refused.items():
        result = _run(run, f"{BOTH} {options}")
        assert (result.exit_code, result.stdout) == (2, ""), options
        assert sentence in result.stderr
        assert not (in_tables / "s.yaml").exists()
