"""End to end: acd on a real Asterisk with real SIP phones and callers. Nothing here is mocked."""

import pytest

pytest.register_assert_rewrite("tests.e2e.compare", "tests.e2e.desk")
