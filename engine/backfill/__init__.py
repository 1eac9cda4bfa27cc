"""Years of events as records, on Spark: mapped, fitted and folded there, and delivered by `sfmap run --records`.

Imported by: commands.
"""
