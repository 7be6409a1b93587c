"""One thread: faster for networks this small, and what other tests leave is no matter."""

import torch

torch.set_num_threads(1)
