"""The application and what it answers."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify, render_template

NOTICES = ("The kettle works again.", "Who took the blue stapler?")


def create_app() -> Flask:
    """The application, with style sheets from the bundle's slot or, in a checkout, from this member's folder."""
    app = Flask(__name__, static_folder=str(static_folder()), static_url_path="/static")

    @app.get("/")
    def board() -> str:
        return render_template("board.html", notices=NOTICES)

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok", notices=len(NOTICES))

    return app


def static_folder() -> Path:
    """Where the style sheets are."""
    try:
        import packyard_runtime  # only there in a bundle
    except ImportError:
        return Path(__file__).parents[2] / "static"
    return Path(packyard_runtime.slot("static"))
