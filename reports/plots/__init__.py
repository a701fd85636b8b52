"""Figures of a run; matplotlib loads when one is drawn."""

from reports.plots.pareto import ParetoInfo, pareto_info, save_pareto

__all__ = ["ParetoInfo", "pareto_info", "save_pareto"]
