import functools

import pytest

from tests.program.evaluation import STACKS, Evaluation, evaluate

evaluated = functools.cache(evaluate)


@pytest.fixture(params=STACKS)
def evaluation(request: pytest.FixtureRequest) -> Evaluation:
    """Each of the project's stacks, evaluated with its stack file."""
    return evaluated(request.param)


@pytest.fixture
def one_stack() -> Evaluation:
    """One stack, for tests that do not depend on the region."""
    return evaluated("eu-west-1")
