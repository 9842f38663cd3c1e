//! The fields of a record, by the names of AWS.

use super::fields::known;

known!(
    /// The top of a record.
    Top {
        EventVersion = "eventVersion",
        UserIdentity = "userIdentity",
        EventTime = "eventTime",
        EventSource = "eventSource",
        EventName = "eventName",
        AwsRegion = "awsRegion",
        SourceIpAddress = "sourceIPAddress",
        UserAgent = "userAgent",
        ErrorCode = "errorCode",
        ErrorMessage = "errorMessage",
        RequestParameters = "requestParameters",
        ResponseElements = "responseElements",
        AdditionalEventData = "additionalEventData",
        RequestId = "requestID",
        EventId = "eventID",
        EventType = "eventType",
        ApiVersion = "apiVersion",
        ManagementEvent = "managementEvent",
        ReadOnly = "readOnly",
        Resources = "resources",
        RecipientAccountId = "recipientAccountId",
        ServiceEventDetails = "serviceEventDetails",
        SharedEventId = "sharedEventID",
        VpcEndpointId = "vpcEndpointId",
        EventCategory = "eventCategory",
        // Insights events.
        InsightDetails = "insightDetails",
        // Aggregated events.
        AccountId = "accountId",
        AggregatedEventId = "eventId",
        TimeWindow = "timeWindow",
    }
);

known!(
    /// `timeWindow` of an aggregated event.
    TimeWindow {
        Start = "windowStart",
        End = "windowEnd",
    }
);
