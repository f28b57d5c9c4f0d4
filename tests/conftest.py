"""What every test shares: the folder of this file on the path, for `independent`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items):
    """Begin with what takes minutes, so that the other worker does the rest meanwhile."""
    items.sort(key=lambda item: "--all" not in item.name)
