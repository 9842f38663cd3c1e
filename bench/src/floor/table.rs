//! The columns of the lake's tables that security events of Cloud App Security fill.

use arrow::array::ArrayRef;

use super::column::{Column, Flag, Int, List, Long, Micros, Presence, Text, object};

object!(
    /// A row of any class.
    Row<'v> => RowColumns {
        tenant: &'v str => Text = "tenant_uid",
        time: i64 => Micros = "time",
        uid: &'v str => Text = "uid",
        source: &'v str => Text = "source",
        connector_uid: &'v str => Text = "connector_uid",
        connector_name: &'v str => Text = "connector_name",
        ingest_time: i64 => Micros = "ingest_time",
        activity_id: i32 => Int = "activity_id",
        activity_name: &'v str => Text = "activity_name",
        category_uid: i32 => Int = "category_uid",
        category_name: &'v str => Text = "category_name",
        class_uid: i32 => Int = "class_uid",
        class_name: &'v str => Text = "class_name",
        type_uid: i64 => Long = "type_uid",
        type_name: &'v str => Text = "type_name",
        severity_id: i32 => Int = "severity_id",
        severity: &'v str => Text = "severity",
        status_id: i32 => Int = "status_id",
        status: &'v str => Text = "status",
        status_detail: &'v str => Text = "status_detail",
        metadata: Metadata<'v> => MetadataColumns = "metadata",
        observables: &'v [Observable<'v>] => List<ObservableColumns> = "observables",
        unmapped: &'v str => Text = "unmapped",
        direction_id: i32 => Int = "direction_id",
        direction: &'v str => Text = "direction",
        email: Email<'v> => EmailColumns = "email",
        finding_info: Finding<'v> => FindingColumns = "finding_info",
        data_security: DataSecurity<'v> => DataSecurityColumns = "data_security",
        resources: &'v [Resource<'v>] => List<ResourceColumns> = "resources",
        file: File<'v> => FileColumns = "file",
        actor: Actor<'v> => ActorColumns = "actor",
        src_endpoint: Endpoint<'v> => EndpointColumns = "src_endpoint",
        action_id: i32 => Int = "action_id",
        action: &'v str => Text = "action",
        disposition_id: i32 => Int = "disposition_id",
        disposition: &'v str => Text = "disposition",
        is_alert: bool => Flag = "is_alert",
        risk_level_id: i32 => Int = "risk_level_id",
        risk_level: &'v str => Text = "risk_level",
        risk_details: &'v str => Text = "risk_details",
        malware: &'v [Malware<'v>] => List<MalwareColumns> = "malware",
        malware_scan_info: Scan<'v> => ScanColumns = "malware_scan_info",
        policy: Policy<'v> => PolicyColumns = "policy",
        raw_data: &'v str => Text = "raw_data",
    }
);

object!(
    /// About the record itself.
    Metadata<'v> => MetadataColumns {
        version: &'v str => Text = "version",
        product: Product<'v> => ProductColumns = "product",
        uid: &'v str => Text = "uid",
        original_time: &'v str => Text = "original_time",
        log_name: &'v str => Text = "log_name",
        profiles: &'v [&'v str] => List<Text> = "profiles",
    }
);

object!(
    /// The vendor's product.
    Product<'v> => ProductColumns {
        name: &'v str => Text = "name",
        vendor_name: &'v str => Text = "vendor_name",
        feature: Feature<'v> => FeatureColumns = "feature",
    }
);

object!(
    /// The protected service.
    Feature<'v> => FeatureColumns {
        name: &'v str => Text = "name",
    }
);

object!(
    /// A value that is worth searching for.
    Observable<'v> => ObservableColumns {
        name: &'v str => Text = "name",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
        value: &'v str => Text = "value",
    }
);

object!(
    /// A message.
    Email<'v> => EmailColumns {
        from: &'v str => Text = "from",
        to: &'v [&'v str] => List<Text> = "to",
        delivered_to_list: &'v [&'v str] => List<Text> = "delivered_to_list",
        subject: &'v str => Text = "subject",
        message_uid: &'v str => Text = "message_uid",
        files: &'v [File<'v>] => List<FileColumns> = "files",
        urls: &'v [Url<'v>] => List<UrlColumns> = "urls",
    }
);

object!(
    /// A link.
    Url<'v> => UrlColumns {
        url_string: &'v str => Text = "url_string",
    }
);

object!(
    /// A file.
    File<'v> => FileColumns {
        name: &'v str => Text = "name",
        parent_folder: &'v str => Text = "parent_folder",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
        hashes: &'v [Fingerprint<'v>] => List<FingerprintColumns> = "hashes",
        modified_time: i64 => Micros = "modified_time",
    }
);

object!(
    /// A digest.
    Fingerprint<'v> => FingerprintColumns {
        algorithm_id: i32 => Int = "algorithm_id",
        algorithm: &'v str => Text = "algorithm",
        value: &'v str => Text = "value",
    }
);

object!(
    /// Who acted.
    Actor<'v> => ActorColumns {
        user: User<'v> => UserColumns = "user",
    }
);

object!(
    /// An account.
    User<'v> => UserColumns {
        name: &'v str => Text = "name",
        email_addr: &'v str => Text = "email_addr",
    }
);

object!(
    /// Where an activity came from.
    Endpoint<'v> => EndpointColumns {
        svc_name: &'v str => Text = "svc_name",
    }
);

object!(
    /// Malware by name.
    Malware<'v> => MalwareColumns {
        name: &'v str => Text = "name",
        classification_ids: &'v [i32] => List<Int> = "classification_ids",
        classifications: &'v [&'v str] => List<Text> = "classifications",
        provider: &'v str => Text = "provider",
    }
);

object!(
    /// The scan that found it.
    Scan<'v> => ScanColumns {
        name: &'v str => Text = "name",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
    }
);

object!(
    /// A policy.
    Policy<'v> => PolicyColumns {
        name: &'v str => Text = "name",
        kind: &'v str => Text = "type",
    }
);

object!(
    /// What was found, as a finding.
    Finding<'v> => FindingColumns {
        uid: &'v str => Text = "uid",
        title: &'v str => Text = "title",
        types: &'v [&'v str] => List<Text> = "types",
        analytic: Analytic<'v> => AnalyticColumns = "analytic",
        created_time: i64 => Micros = "created_time",
        data_sources: &'v [&'v str] => List<Text> = "data_sources",
    }
);

object!(
    /// What found it.
    Analytic<'v> => AnalyticColumns {
        name: &'v str => Text = "name",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
    }
);

object!(
    /// The data that was found.
    DataSecurity<'v> => DataSecurityColumns {
        data_lifecycle_state_id: i32 => Int = "data_lifecycle_state_id",
        data_lifecycle_state: &'v str => Text = "data_lifecycle_state",
        detection_system_id: i32 => Int = "detection_system_id",
        detection_system: &'v str => Text = "detection_system",
        detection_pattern: &'v str => Text = "detection_pattern",
        discovery_details: &'v [Discovery<'v>] => List<DiscoveryColumns> = "discovery_details",
        policy: Policy<'v> => PolicyColumns = "policy",
    }
);

object!(
    /// A template that matched.
    Discovery<'v> => DiscoveryColumns {
        kind: &'v str => Text = "type",
        count: i32 => Int = "count",
    }
);

object!(
    /// Somebody or something that is concerned.
    Resource<'v> => ResourceColumns {
        name: &'v str => Text = "name",
        uid: &'v str => Text = "uid",
        kind: &'v str => Text = "type",
        role_id: i32 => Int = "role_id",
        role: &'v str => Text = "role",
    }
);
