from driftkit.progress import part


def test_steps_run_from_nothing_to_all():
    calls = []
    for step in range(4):
        report = part(lambda *call: calls.append(call), step, 4)
        report(0, 0)
        report(1, 1)
    assert calls[0] == (0, 4000)
    assert calls[-1] == (4000, 4000)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_nobody_listening():
    assert part(None, 0, 1) is None
