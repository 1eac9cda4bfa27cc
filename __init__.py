"""Customer events into Salesforce, by mappings in YAML.

>>> import sfmap
>>> project = sfmap.Project("acme")  # a folder with sfmap.yaml
>>> project.check()
[]
>>> report = project.run("events.ndjson", org="sandbox")
>>> report.finished
True

docs/python.md describes it all. A name is imported when it is first used, so that `import sfmap` takes no time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfmap.engine.api.names import *  # noqa: F403 - the names of its __all__
else:

    def __getattr__(name):
        from sfmap.engine.api import names

        if name == "__all__" or name in names.__all__:
            return getattr(names, name)
        raise AttributeError(f"module 'sfmap' has no attribute '{name}'")

    def __dir__():
        from sfmap.engine.api import names

        return sorted({*globals(), *names.__all__})
