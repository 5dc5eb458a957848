"""What can be raised: a configuration that can't be used, too few credits, usage that could not be told."""


class SDKConfigurationError(Exception):
    """A setting is missing or can't be used."""


class InsufficientBalanceError(Exception):
    """The organization's credits are below the threshold, or do not suffice for what was asked."""


class TrackingError(Exception):
    """Usage could not be told; in fail-open mode it is logged instead where the service was away."""
