"""What every test run has in common."""

from hypothesis import HealthCheck, settings

# The same examples in every run: a change is judged by what it changed, not by luck. `make fuzz` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("fuzz", settings.get_profile("same"), derandomize=False, max_examples=3000, print_blob=True)
settings.load_profile("same")
