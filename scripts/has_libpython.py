"""Exit 0 if this Python exists as a shared library, which a cocotb simulator loads."""

import ctypes.util
import sys
import sysconfig
from pathlib import Path

names = {sysconfig.get_config_var("INSTSONAME"), sysconfig.get_config_var("LDLIBRARY")}
folders = {sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LIBPL")}
multiarch = sysconfig.get_config_var("MULTIARCH") or ""
folders |= {str(Path(folder) / multiarch) for folder in folders if folder}
shared = {name for name in names if name and ".so" in name}
found = any(folder and (Path(folder) / name).exists() for folder in folders for name in shared)
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.exit(not (found or ctypes.util.find_library(version)))
