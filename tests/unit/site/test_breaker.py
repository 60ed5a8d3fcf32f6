"""When a storage is left alone."""

from app.uploads.breaker import Breaker


def breaker() -> tuple[Breaker, list[float]]:
    now = [100.0]
    return Breaker(failures=3, seconds=10, clock=lambda: now[0]), now


def test_a_few_failures_do_not_open_it():
    one, _ = breaker()
    one.failed()
    one.failed()
    assert one.wait() == 0


def test_a_success_forgets_what_failed_before():
    one, _ = breaker()
    for _ in range(5):
        one.failed()
        one.failed()
        one.succeeded()
    assert one.wait() == 0


def test_it_opens_for_a_while_and_again_at_the_next_failure():
    one, now = breaker()
    for _ in range(3):
        one.failed()
    assert one.wait() == 10
    now[0] += 4
    assert one.wait() == 6
    now[0] += 6
    assert one.wait() == 0
    one.failed()
    assert one.wait() == 10
