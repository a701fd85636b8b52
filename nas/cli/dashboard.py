"""``nas dashboard``: a run's study in optuna-dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nas.cli.options import Storage, argument, option
from search_spaces.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from optuna import Study

__all__ = ["dashboard", "front_note"]


def dashboard(
    run: Annotated[Path, argument("The run folder.")],
    port: Annotated[int, option("Port to listen on; 0 for any that is free.")] = 8080,
    host: Annotated[str, option("Address to listen on.")] = "127.0.0.1",
    browser: Annotated[bool, option("Open it in a browser.")] = True,
    storage: Storage = None,
) -> None:
    """Open a run's study in optuna-dashboard, until Ctrl-C."""
    from nas.run import open_run
    from nas.store.errors import reading

    wsgi = _optuna_dashboard()
    if not 0 <= port <= 65535:
        raise InputError(f"--port: expected 0 to 65535, got {port}")
    opened = open_run(run, storage=storage)
    study = opened.opened_study()
    with reading(str(run)):
        note = front_note(study)
    server = _listen(host, port, wsgi(opened.opened_storage()))
    number = study._study_id
    address = f"http://{host}:{server.server_port}/dashboard/studies/{number}"
    print(f"Study {study.study_name}: {address} (Ctrl-C ends it)", flush=True)
    print(note, flush=True)
    if browser:
        import webbrowser

        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("Dashboard ended", flush=True)
    finally:
        server.server_close()


def front_note(study: Study) -> str:
    """Whether the dashboard's Pareto front is the feasible one, and what it cannot tell apart.

    It takes every completed trial for feasible: it does not read the constraints of Optuna 5.
    """
    complete = [t for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    over = [
        trial.number
        for trial in complete
        if any(
            key.startswith("constraints:") and value > 0
            for key, value in trial.system_attrs.items()
        )
    ]
    if over:
        shown = ", ".join(map(str, over[:8])) + (" and more" if len(over) > 8 else "")
        return (
            f"Its Pareto front is NOT the feasible one: it knows nothing of budgets, and completed "
            f"trials are over one ({shown}). nas report draws the feasible front."
        )
    return (
        f"Its Pareto front is the feasible one: all {len(complete)} completed trials keep to the "
        f"budgets. It knows nothing of budgets itself, draws no walls, and calls both what was "
        f"over budget and what was stopped early pruned; nas report tells them apart."
    )


def _optuna_dashboard() -> Any:
    try:
        from optuna_dashboard import wsgi
    except ImportError:
        raise MissingExtra(
            "nas dashboard needs optuna-dashboard; install the extra", "dashboard"
        ) from None
    return wsgi


def _listen(host: str, port: int, application: Any) -> WSGIServer:
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing of every request."""

    try:
        return make_server(host, port, application, server_class=Server, handler_class=Quiet)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; give another --port"
        ) from None
