"""The options that all modules have."""


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the console, as C(https://cupadmin.example.com).
      - Without encryption only on the machine where the module runs.
      - E(CUPADMIN_URL) is used if the option is not set.
    type: str
    required: true
  token:
    description:
      - An API token of the console.
      - E(CUPADMIN_TOKEN) is used if the option is not set.
    type: str
    required: true
  ca_path:
    description:
      - A file with the certificates to trust, instead of those of the system.
      - E(CUPADMIN_CA_FILE) is used if the option is not set.
    type: path
  timeout:
    description: Seconds to wait for one answer of the console.
    type: int
    default: 30
requirements:
  - Nothing but Python; the module runs where the console can be reached, as on localhost.
author:
  - The authors of cupadmin (!UNKNOWN)
"""
