"""The documents behind the tests, so that a reader can look a fact up."""

from enum import Enum

VENDOR = "https://www.cisco.com"
GUIDES = f"{VENDOR}/c/en/us/td/docs/voice_ip_comm/cucm"
NOTES = (
    f"{VENDOR}/c/en/us/support/docs/unified-communications/"
    "unified-communications-manager-im-presence-service"
)
BOOK_12 = "12_5_1_su2/cup0_b_config-and-admin-guide-1251su2"


class Source(Enum):
    """A document: what the tables call it, its title, its address where it is known."""

    GUIDE_7 = (
        "7.x guide",
        "Cisco Unified Presence 7.x, inter-clustering",
    )
    GUIDE_9 = (
        "9.x guide",
        "Deployment Guide for IM and Presence 9.0(1) and 9.1(1), intercluster peers",
        "https://www.cisco.com/en/US/docs/voice_ip_comm/cucm/im_presence/deployment/9_1_1/"
        "CUP0_BK_D5B4C107_00_deployment-guide-for-imp-91_chapter_01110.html",
    )
    SERVICES_9 = ("9.x guide, services", "The same guide, restarting services")
    INSTALLING_9 = ("9.x installation", "Installation of IM and Presence 9.x")
    MONITORING_9 = ("9.1 monitoring guide", "Monitoring guide of 9.1(1), alerts")
    GUIDE_12 = (
        "12.5 guide",
        "Configuration and Administration Guide 12.5(1)SU2, intercluster peers",
        f"{GUIDES}/im_presence/configAdminGuide/{BOOK_12}/"
        "cup0_b_config-and-admin-guide-1251su2_chapter_01100.html",
    )
    GUIDE_12_SU1 = (
        "12.5(1)SU1 guide",
        "Configuration and Administration Guide 12.5(1)SU1, domain and IM address",
    )
    CERTIFICATES = (
        "certificates",
        "Configuration and Administration Guide, the chapter on certificates",
    )
    END_USERS = (
        "end users",
        "Configuration and Administration Guide, end users and the Data Monitor",
    )
    FEATURES_12 = ("12.5 release notes", "Release notes of 12.5(1), new features")
    FEDERATION_12 = (
        "12.5 federation guide",
        "Interdomain Federation 12.5(1), troubleshooting of XMPP",
        f"{GUIDES}/im_presence/interdomain_federation/12_5_1/"
        "cup0_b_interdomain-federation-1251/"
        "cup0_b_interdomain-federation-1251_chapter_010011.html",
    )
    ARCHITECTURE = (
        "preferred architecture",
        "Preferred architecture of several clusters",
    )
    COMPATIBILITY = (
        "compatibility matrices",
        "Compatibility matrices of 12.5, 14 and 15",
        f"{GUIDES}/compat/12_x/cucm_b_compatibility-matrix-cucm-imp-125x.html",
    )
    UPGRADE = ("upgrade guide", "Upgrade guide, roles and tasks after an upgrade")
    MIGRATION = ("user migration", "Migrating users between clusters")
    PORTS = ("port usage", "Port usage of IM and Presence")
    MASKS = ("Unified CM guides", "Guides of Unified CM on external phone number masks")
    NOTE_DNS = (
        "note 217581",
        "Technical note 217581, issues of inter-clustering caused by DNS",
        f"{NOTES}/217581-troubleshoot-im-p-inter-clustering-issue.html",
    )
    NOTE_SERVICES = ("note 217304", "Technical note 217304, services that stay down")
    NOTE_DUPLICATES = (
        "note 217518",
        "Technical note 217518, duplicate users",
    )
    NOTE_SYNC = ("note 220329", "Technical note 220329, issues of synchronisation")
    TROUBLESHOOTER = (
        "a system's troubleshooter",
        "System Troubleshooter of a running system, as published on 2020-06-14",
        "https://github.com/Unhall0w3d/UnHall0w3d.github.io",
    )
    SCRIPTS = ("public scripts", "Scripts of third parties that run on real systems")
    LIMITS = ("published limits", "The documents of each limit", "sizing.md")
    AXL = ("AXL schema", "AXL schemas of the releases 7 to 15, getCCMVersion")
    SERVICEABILITY = ("Serviceability API", "Control Center Services of the releases")
    TLS = (
        "RFC 8996",
        "RFC 8996, Deprecating TLS 1.0 and TLS 1.1",
        "https://www.rfc-editor.org/rfc/rfc8996",
    )

    def __init__(self, label: str, title: str, url: str = "") -> None:
        self.label = label
        self.title = title
        self.url = url
