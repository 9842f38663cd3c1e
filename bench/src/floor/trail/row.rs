//! The columns of the lake's tables that CloudTrail's records fill.

use arrow::array::ArrayRef;

use super::super::column::{Column, Flag, Int, List, Long, Micros, Presence, Text, object};

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
        status_code: &'v str => Text = "status_code",
        status_detail: &'v str => Text = "status_detail",
        metadata: Metadata<'v> => MetadataColumns = "metadata",
        unmapped: &'v str => Text = "unmapped",
        api: Api<'v> => ApiColumns = "api",
        src_endpoint: Endpoint<'v> => EndpointColumns = "src_endpoint",
        http_request: HttpRequest<'v> => HttpRequestColumns = "http_request",
        resources: &'v [Resource<'v>] => List<ResourceColumns> = "resources",
        user: User<'v> => UserColumns = "user",
        session: Session<'v> => SessionColumns = "session",
        auth_protocol_id: i32 => Int = "auth_protocol_id",
        auth_protocol: &'v str => Text = "auth_protocol",
        is_mfa: bool => Flag = "is_mfa",
        service: Feature<'v> => FeatureColumns = "service",
        dst_endpoint: Endpoint<'v> => EndpointColumns = "dst_endpoint",
        policies: &'v [Policy<'v>] => List<PolicyColumns> = "policies",
        actor: Actor<'v> => ActorColumns = "actor",
        cloud: Cloud<'v> => CloudColumns = "cloud",
        raw_data: &'v str => Text = "raw_data",
    }
);

object!(
    /// About the record itself.
    Metadata<'v> => MetadataColumns {
        version: &'v str => Text = "version",
        product: Product<'v> => ProductColumns = "product",
        uid: &'v str => Text = "uid",
        event_code: &'v str => Text = "event_code",
        profiles: &'v [&'v str] => List<Text> = "profiles",
    }
);

object!(
    /// The vendor's product.
    Product<'v> => ProductColumns {
        name: &'v str => Text = "name",
        vendor_name: &'v str => Text = "vendor_name",
        version: &'v str => Text = "version",
        feature: Feature<'v> => FeatureColumns = "feature",
    }
);

object!(
    /// The category of the record.
    Feature<'v> => FeatureColumns {
        name: &'v str => Text = "name",
    }
);

object!(
    /// The call.
    Api<'v> => ApiColumns {
        operation: &'v str => Text = "operation",
        service: Feature<'v> => FeatureColumns = "service",
        request: Request<'v> => RequestColumns = "request",
        response: Response<'v> => ResponseColumns = "response",
    }
);

object!(
    /// What the call was given.
    Request<'v> => RequestColumns {
        uid: &'v str => Text = "uid",
        data: &'v str => Text = "data",
    }
);

object!(
    /// What the call answered.
    Response<'v> => ResponseColumns {
        error: &'v str => Text = "error",
        message: &'v str => Text = "message",
        data: &'v str => Text = "data",
    }
);

object!(
    /// Where a call came from.
    Endpoint<'v> => EndpointColumns {
        ip: &'v str => Text = "ip",
        domain: &'v str => Text = "domain",
        name: &'v str => Text = "name",
        svc_name: &'v str => Text = "svc_name",
    }
);

object!(
    /// A policy.
    Policy<'v> => PolicyColumns {
        name: &'v str => Text = "name",
        uid: &'v str => Text = "uid",
    }
);

object!(
    /// The program that called.
    HttpRequest<'v> => HttpRequestColumns {
        user_agent: &'v str => Text = "user_agent",
    }
);

object!(
    /// What a call was about.
    Resource<'v> => ResourceColumns {
        uid: &'v str => Text = "uid",
        kind: &'v str => Text = "type",
        owner: User<'v> => UserColumns = "owner",
    }
);

object!(
    /// Who acted.
    Actor<'v> => ActorColumns {
        user: User<'v> => UserColumns = "user",
        session: Session<'v> => SessionColumns = "session",
        app_name: &'v str => Text = "app_name",
    }
);

object!(
    /// Somebody or something with an account.
    User<'v> => UserColumns {
        name: &'v str => Text = "name",
        uid: &'v str => Text = "uid",
        uid_alt: &'v str => Text = "uid_alt",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
        account: Account<'v> => AccountColumns = "account",
        programmatic_credentials: &'v [Credential<'v>] => List<CredentialColumns> = "programmatic_credentials",
    }
);

object!(
    /// A key.
    Credential<'v> => CredentialColumns {
        uid: &'v str => Text = "uid",
    }
);

object!(
    /// An account of AWS.
    Account<'v> => AccountColumns {
        uid: &'v str => Text = "uid",
        type_id: i32 => Int = "type_id",
        kind: &'v str => Text = "type",
    }
);

object!(
    /// The session of a role.
    Session<'v> => SessionColumns {
        uid: &'v str => Text = "uid",
        created_time: i64 => Micros = "created_time",
        is_mfa: bool => Flag = "is_mfa",
        issuer: &'v str => Text = "issuer",
        credential_uid: &'v str => Text = "credential_uid",
    }
);

object!(
    /// Which part of which cloud.
    Cloud<'v> => CloudColumns {
        provider: &'v str => Text = "provider",
        region: &'v str => Text = "region",
        account: Account<'v> => AccountColumns = "account",
    }
);
