"""Data sets: arrays of images in [0, 1] and labels, from files that are checked."""

from advmip.datasets.augmentation import augment
from advmip.datasets.dataset import Dataset
from advmip.datasets.loading import load_dataset, verify_dataset

__all__ = ["Dataset", "augment", "load_dataset", "verify_dataset"]
