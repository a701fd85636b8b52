"""Networks of ours as files that spandrel knows, and so chaiNNer and ComfyUI."""
