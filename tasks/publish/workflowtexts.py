"""The built-in texts of workflows, with places to fill, and the actions that they use."""

from __future__ import annotations

# The releases of the actions that the built-in templates use; `[ci] pins` replaces them with commits.
ACTIONS = {
    "actions/cache": "v4",
    "actions/checkout": "v4",
    "actions/configure-pages": "v5",
    "actions/deploy-pages": "v4",
    "actions/download-artifact": "v4",
    "actions/setup-python": "v5",
    "actions/upload-artifact": "v4",
    "actions/upload-pages-artifact": "v3",
}

SETUP = """\
- uses: @checkout@
  with:
    fetch-depth: 0 # earlier versions and tags are compared with this one
    persist-credentials: false
- uses: @setup_python@
  with:
    python-version: "@python@"
- name: Restore Packyard's store
  uses: @cache@
  with:
    path: @store@
    key: packyard-${{ runner.os }}-@job@-${{ github.sha }}
    restore-keys: packyard-${{ runner.os }}-
- name: Install Packyard
  run: python -m pip install @packyard@
"""
_PACKAGE = """\
name: Build and test packages

on:
  push:
    branches: [main]
    tags: ["v*", "*-v*"]
  pull_request:
    @paths@

permissions:
  contents: read

concurrency:
  group: package-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}

jobs:
  package:
    runs-on: ubuntu-latest
    @environment@
    steps:
      @setup@
      @signing@
      - name: Build packages
        run: packyard
      - name: Verify them in clean rooms, and go through the checklist
        run: packyard check --build
      - name: Compare the tag with the version
        if: github.ref_type == 'tag'
        env:
          TAG: ${{ github.ref_name }}
        run: packyard check --tag "$TAG"
      - name: Summarize what was built
        run: packyard check --summary >> "$GITHUB_STEP_SUMMARY"
      - name: Keep the store small
        run: packyard cache gc --limit "4 GB"
      - name: Upload artifacts
        uses: @upload_artifact@
        with:
          name: packages
          path: dist/
          if-no-files-found: error

  release:
    if: github.ref_type == 'tag'
    needs: package
    runs-on: ubuntu-latest
    permissions:
      contents: write
    steps:
      - uses: @download_artifact@
        with:
          name: packages
          path: dist/
      - name: Attach the artifacts to the release
        env:
          GH_TOKEN: ${{ github.token }}
          TAG: ${{ github.ref_name }}
        run: gh release create "$TAG" dist/* --repo "$GITHUB_REPOSITORY" --verify-tag --generate-notes
"""
_BENCHMARK = """\
name: Run benchmarks

on:
  push:
    branches: [main]
  schedule:
    - cron: "0 0 * * 0" # weekly
  workflow_dispatch:

permissions:
  contents: read

jobs:
  benchmark:
    runs-on: ubuntu-latest
    @environment@
    steps:
      @setup@
      @signing@
      - name: Build the archives
        run: packyard @archives@
      - name: Run them from their unpacked copies
        run: packyard verify --output @archives@
"""
_DOCS = """\
name: Deploy documentation

on:
  push:
    branches: [main]
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: pages
  cancel-in-progress: false

jobs:
  build:
    runs-on: ubuntu-latest
    @environment@
    steps:
      @setup@
      @signing@
      - name: Build the site
        run: packyard @sites@
      - uses: @configure_pages@
      - uses: @upload_pages_artifact@
        with:
          path: site/

  deploy:
    needs: build
    runs-on: ubuntu-latest
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{ steps.deployment.outputs.page_url }}
    steps:
      - id: deployment
        uses: @deploy_pages@
"""
BUILT_IN = {"package": _PACKAGE, "benchmark": _BENCHMARK, "docs": _DOCS}
