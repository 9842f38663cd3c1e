//! Which calls are made, how often, by whom, and what they carry.

/// Who makes a call as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Service,
    Role,
    Person,
    /// Somebody who signs in to the console.
    Console,
    Anybody,
}

/// A call with its templates; an empty one leaves its field out.
pub(super) struct Call {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    pub(super) caller: Caller,
    pub(super) is_read_only: bool,
    pub(super) is_data: bool,
    pub(super) failures_per_mille: u64,
    pub(super) request: &'static str,
    pub(super) response: &'static str,
    /// Further fields as they stand in the record, with the comma before them.
    pub(super) additional: &'static str,
    pub(super) resources: &'static str,
}

impl Call {
    const fn new(
        caller: Caller,
        service: &'static str,
        name: &'static str,
        request: &'static str,
    ) -> Self {
        Self {
            service,
            name,
            caller,
            is_read_only: true,
            is_data: false,
            failures_per_mille: 15,
            request,
            response: "null",
            additional: "",
            resources: "",
        }
    }

    const fn changes(self, response: &'static str) -> Self {
        Self { is_read_only: false, response, ..self }
    }

    const fn answers(self, response: &'static str) -> Self {
        Self { response, ..self }
    }

    const fn data(self) -> Self {
        Self { is_data: true, ..self }
    }

    const fn about(self, resources: &'static str) -> Self {
        Self { resources, ..self }
    }

    const fn also(self, additional: &'static str) -> Self {
        Self { additional, ..self }
    }

    const fn fails(self, failures_per_mille: u64) -> Self {
        Self { failures_per_mille, ..self }
    }
}

use Caller::{Anybody, Console, Person, Role, Service};

const ROLE: &str = r#"[{"accountId":"<account>","type":"AWS::IAM::Role","ARN":"arn:aws:iam::<account>:role/<role>"}]"#;
const KEY: &str = r#"[{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms>"}]"#;
const OBJECT: &str = r#"[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<key>"},{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}]"#;
const BUCKET: &str = r#"[{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"},{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::<bucket>/"}]"#;
const ASSUMED: &str = r#"{"credentials":{"accessKeyId":"<access_key>","sessionToken":"<token>","expiration":"<hour_later>"},"assumedRoleUser":{"assumedRoleId":"AROA<hex>:<session>","arn":"arn:aws:sts::<account>:assumed-role/<role>/<session>"}}"#;
const TRANSFER: &str = r#","additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"SSEApplied":"SSE_KMS","AuthenticationMethod":"AuthHeader","x-amz-id-2":"<id2>","bytesTransferredOut":<number>}"#;
const FILTER: &str = r#"{"maxResults":100,"filterSet":{"items":[{"name":"tag:service","valueSet":{"items":[{"value":"<word>"}]}}]},"instancesSet":{"items":[{"instanceId":"<instance>"},{"instanceId":"<instance>"}]}}"#;

/// Calls by their share of a trail with management events and the data events of some buckets.
pub(super) const CALLS: &[(u64, &Call)] = &[
    (130, &Call::new(Service, "sts", "AssumeRole", r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>","durationSeconds":3600}"#).answers(ASSUMED).about(ROLE)),
    (35, &Call::new(Anybody, "sts", "AssumeRole", r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>","externalId":"<uuid>"}"#).answers(ASSUMED).about(ROLE).fails(30)),
    (12, &Call::new(Role, "sts", "AssumeRoleWithWebIdentity", r#"{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>"}"#).answers(ASSUMED).about(ROLE)),
    (30, &Call::new(Anybody, "sts", "GetCallerIdentity", "null").fails(2)),
    (70, &Call::new(Role, "kms", "Decrypt", r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<key>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#).about(KEY)),
    (30, &Call::new(Role, "kms", "GenerateDataKey", r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>"},"keySpec":"AES_256","keyId":"arn:aws:kms:<region>:<account>:key/<kms>"}"#).about(KEY)),
    (80, &Call::new(Role, "s3", "GetObject", r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"}"#).data().also(TRANSFER).about(OBJECT).fails(25)),
    (55, &Call::new(Role, "s3", "PutObject", r#"{"x-amz-server-side-encryption":"aws:kms","bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"}"#).data().changes(r#"{"x-amz-server-side-encryption":"aws:kms","x-amz-version-id":"<hex><hex>"}"#).also(TRANSFER).about(OBJECT)),
    (20, &Call::new(Role, "s3", "ListObjects", r#"{"list-type":"2","bucketName":"<bucket>","encoding-type":"url","prefix":"<key>","Host":"<bucket>.s3.<region>.amazonaws.com"}"#).data().also(TRANSFER).about(BUCKET)),
    (12, &Call::new(Role, "s3", "DeleteObject", r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"}"#).data().changes("null").also(TRANSFER).about(OBJECT)),
    (12, &Call::new(Anybody, "s3", "GetBucketAcl", r#"{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","acl":""}"#).also(TRANSFER).about(BUCKET)),
    (8, &Call::new(Anybody, "s3", "ListBuckets", r#"{"Host":"s3.<region>.amazonaws.com"}"#).also(TRANSFER)),
    (2, &Call::new(Person, "s3", "PutBucketPolicy", r#"{"bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"<word>","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::<account>:role/<role>"},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::<bucket>","arn:aws:s3:::<bucket>/*"]}]},"bucketName":"<bucket>","Host":"<bucket>.s3.amazonaws.com","policy":""}"#).changes("null").also(TRANSFER).about(BUCKET)),
    (50, &Call::new(Anybody, "ec2", "DescribeInstances", FILTER)),
    (22, &Call::new(Anybody, "ec2", "DescribeVolumes", r#"{"volumeSet":{"items":[{"volumeId":"<volume>"}]},"filterSet":{}}"#)),
    (20, &Call::new(Role, "ec2", "DescribeNetworkInterfaces", r#"{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"<interface>"}]},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"<vpc>"}]}}]}}"#)),
    (18, &Call::new(Anybody, "ec2", "DescribeSecurityGroups", r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<group>"}]},"filterSet":{}}"#)),
    (12, &Call::new(Anybody, "ec2", "DescribeTags", r#"{"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"<instance>"}]}}]}}"#)),
    (10, &Call::new(Anybody, "ec2", "DescribeVpcs", r#"{"vpcSet":{"items":[{"vpcId":"<vpc>"}]},"filterSet":{}}"#)),
    (6, &Call::new(Role, "ec2", "CreateNetworkInterface", r#"{"subnetId":"subnet-0<hex>","description":"AWS Lambda VPC ENI-<function>-<uuid>","groupSet":{"items":[{"groupId":"<group>"}]},"privateIpAddressesSet":{},"ipv6AddressCount":0,"clientToken":"<uuid>"}"#).changes(r#"{"requestId":"<uuid>","networkInterface":{"networkInterfaceId":"<interface>","subnetId":"subnet-0<hex>","vpcId":"<vpc>","availabilityZone":"<region>a","description":"AWS Lambda VPC ENI-<function>","ownerId":"<account>","requesterManaged":false,"status":"pending","macAddress":"0a:ff:c2:1e:90:44","privateIpAddress":"10.20.4.17","sourceDestCheck":true,"interfaceType":"lambda","groupSet":{"items":[{"groupId":"<group>","groupName":"<word>"}]},"tagSet":{}}}"#)),
    (5, &Call::new(Role, "ec2", "RunInstances", r#"{"instancesSet":{"items":[{"imageId":"ami-0<hex>","minCount":1,"maxCount":1}]},"instanceType":"m6i.large","blockDeviceMapping":{},"monitoring":{"enabled":false},"disableApiTermination":false,"clientToken":"fleet-<uuid>","subnetId":"subnet-0<hex>","tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"service","value":"<word>"}]}]},"launchTemplate":{"launchTemplateId":"lt-0<hex>","version":"<number>"}}"#).changes(r#"{"requestId":"<uuid>","reservationId":"r-0<hex>","ownerId":"<account>","groupSet":{},"instancesSet":{"items":[{"instanceId":"<instance>","imageId":"ami-0<hex>","currentState":{"code":0,"name":"pending"},"privateDnsName":"ip-10-20-4-17.<region>.compute.internal","amiLaunchIndex":0,"productCodes":{},"instanceType":"m6i.large","launchTime":1772438400000,"placement":{"availabilityZone":"<region>b","tenancy":"default"},"monitoring":{"state":"pending"},"subnetId":"subnet-0<hex>","vpcId":"<vpc>","privateIpAddress":"10.20.4.17","groupSet":{"items":[{"groupId":"<group>","groupName":"<word>"}]},"architecture":"x86_64","rootDeviceType":"ebs","virtualizationType":"hvm","hypervisor":"xen","tagSet":{"items":[{"key":"service","value":"<word>"}]},"ebsOptimized":false,"enaSupport":true}]}}"#).fails(60)),
    (4, &Call::new(Role, "ec2", "TerminateInstances", r#"{"instancesSet":{"items":[{"instanceId":"<instance>"}]}}"#).changes(r#"{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"<instance>","currentState":{"code":32,"name":"shutting-down"},"previousState":{"code":16,"name":"running"}}]}}"#)),
    (2, &Call::new(Person, "ec2", "AuthorizeSecurityGroupIngress", r#"{"groupId":"<group>","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"groups":{},"ipRanges":{"items":[{"cidrIp":"203.0.113.0/24","description":"<word>"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#).changes(r#"{"requestId":"<uuid>","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"<account>","groupId":"<group>","securityGroupRuleId":"sgr-0<hex>","isEgress":false,"ipProtocol":"tcp","fromPort":<port>,"toPort":<port>,"cidrIpv4":"203.0.113.0/24"}]}}"#)),
    (3, &Call::new(Role, "ec2", "CreateTags", r#"{"resourcesSet":{"items":[{"resourceId":"<volume>"}]},"tagSet":{"items":[{"key":"service","value":"<word>"},{"key":"owner","value":"<user>"}]}}"#).changes(r#"{"requestId":"<uuid>","_return":true}"#)),
    (40, &Call::new(Role, "logs", "CreateLogStream", r#"{"logGroupName":"/aws/lambda/<function>","logStreamName":"2026/03/02/[$LATEST]<hex><hex>"}"#).changes("null").fails(80)),
    (12, &Call::new(Anybody, "logs", "DescribeLogGroups", r#"{"logGroupNamePrefix":"/aws/lambda/<function>","limit":50}"#)),
    (8, &Call::new(Anybody, "logs", "DescribeLogStreams", r#"{"logGroupName":"/aws/ecs/<word>","orderBy":"LastEventTime","descending":true,"limit":50}"#)),
    (14, &Call::new(Anybody, "lambda", "GetFunction20150331v2", r#"{"functionName":"arn:aws:lambda:<region>:<account>:function:<function>"}"#)),
    (10, &Call::new(Anybody, "lambda", "ListFunctions20150331", r#"{"maxItems":50}"#)),
    (3, &Call::new(Role, "lambda", "UpdateFunctionCode20150331v2", r#"{"functionName":"<function>","s3Bucket":"<bucket>","s3Key":"<key>","publish":true,"dryRun":false}"#).changes(r#"{"functionName":"<function>","functionArn":"arn:aws:lambda:<region>:<account>:function:<function>","runtime":"python3.12","role":"arn:aws:iam::<account>:role/<role>","handler":"app.handler","codeSize":<number>,"timeout":30,"memorySize":512,"lastModified":"<time>","codeSha256":"<token>","version":"<number>","tracingConfig":{"mode":"PassThrough"},"revisionId":"<uuid>","state":"Active","lastUpdateStatus":"InProgress","packageType":"Zip","architectures":["arm64"]}"#)),
    (18, &Call::new(Anybody, "cloudwatch", "DescribeAlarms", r#"{"alarmNamePrefix":"<word>-","maxRecords":100}"#)),
    (14, &Call::new(Anybody, "monitoring", "GetMetricData", r#"{"startTime":"<time>","endTime":"<hour_later>","metricDataQueries":[{"id":"m1","metricStat":{"metric":{"namespace":"AWS/ApplicationELB","metricName":"TargetResponseTime","dimensions":[{"name":"LoadBalancer","value":"app/<word>/<hex>"}]},"period":60,"stat":"p95"},"returnData":true}]}"#)),
    (16, &Call::new(Anybody, "autoscaling", "DescribeAutoScalingGroups", r#"{"autoScalingGroupNames":["<word>-<hex>"],"maxRecords":100}"#)),
    (14, &Call::new(Anybody, "elasticloadbalancing", "DescribeTargetHealth", r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<word>/<hex>"}"#)),
    (16, &Call::new(Role, "ecr", "BatchGetImage", r#"{"repositoryName":"<word>/<word>","imageIds":[{"imageTag":"v1.<number>"}],"acceptedMediaTypes":["application/vnd.oci.image.manifest.v1+json","application/vnd.docker.distribution.manifest.v2+json"],"registryId":"<account>"}"#).about(r#"[{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/<word>/<word>"}]"#)),
    (10, &Call::new(Role, "ecr", "GetAuthorizationToken", "null")),
    (14, &Call::new(Role, "ecs", "DescribeTasks", r#"{"cluster":"<word>","tasks":["arn:aws:ecs:<region>:<account>:task/<word>/<hex><hex>","arn:aws:ecs:<region>:<account>:task/<word>/<hex><hex>"]}"#)),
    (8, &Call::new(Role, "ecs", "SubmitTaskStateChange", r#"{"cluster":"<word>","task":"arn:aws:ecs:<region>:<account>:task/<word>/<hex><hex>","status":"RUNNING","reason":"","containers":[{"containerName":"<word>","networkBindings":[],"status":"RUNNING","runtimeId":"<hex><hex>-<number>"}]}"#).changes(r#"{"acknowledgment":"ACCEPT"}"#)),
    (10, &Call::new(Anybody, "eks", "DescribeCluster", r#"{"name":"<word>"}"#)),
    (12, &Call::new(Role, "secretsmanager", "GetSecretValue", r#"{"secretId":"arn:aws:secretsmanager:<region>:<account>:secret:<word>/<word>-AbCdEf"}"#).fails(20)),
    (16, &Call::new(Role, "ssm", "UpdateInstanceInformation", r#"{"instanceId":"<instance>","agentVersion":"3.3.1611.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"10.20.4.17","computerName":"ip-10-20-4-17.<region>.compute.internal","agentName":"amazon-ssm-agent","availabilityZone":"<region>a","sSMConnectionChannel":"ssmmessages"}"#).changes("null")),
    (10, &Call::new(Role, "ssm", "GetParameter", r#"{"name":"/<word>/<word>/url","withDecryption":true}"#).about(r#"[{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter/<word>/<word>/url"}]"#)),
    (12, &Call::new(Role, "dynamodb", "DescribeTable", r#"{"tableName":"<word>-<word>"}"#).about(r#"[{"accountId":"<account>","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:<region>:<account>:table/<word>-<word>"}]"#)),
    (10, &Call::new(Anybody, "rds", "DescribeDBInstances", r#"{"dBInstanceIdentifier":"<word>-db"}"#)),
    (8, &Call::new(Anybody, "sqs", "GetQueueAttributes", r#"{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<word>-<word>","attributeNames":["All"]}"#)),
    (6, &Call::new(Anybody, "sns", "ListTopics", "null")),
    (8, &Call::new(Role, "config", "PutEvaluations", r#"{"evaluations":[{"complianceResourceType":"AWS::EC2::Instance","complianceResourceId":"<instance>","complianceType":"COMPLIANT","orderingTimestamp":"<time>"}],"resultToken":"<token>","testMode":false}"#).changes(r#"{"failedEvaluations":[]}"#)),
    (6, &Call::new(Anybody, "cloudformation", "DescribeStacks", r#"{"stackName":"<word>-<word>"}"#)),
    (4, &Call::new(Anybody, "cloudtrail", "LookupEvents", r#"{"lookupAttributes":[{"attributeKey":"Username","attributeValue":"<user>"}],"startTime":"<time>","maxResults":50}"#)),
    (4, &Call::new(Anybody, "organizations", "ListAccounts", r#"{"maxResults":20}"#).fails(100)),
    (5, &Call::new(Anybody, "glue", "GetTable", r#"{"databaseName":"<word>","name":"<word>_<word>"}"#)),
    (5, &Call::new(Anybody, "athena", "GetQueryExecution", r#"{"queryExecutionId":"<uuid>"}"#)),
    (3, &Call::new(Person, "athena", "StartQueryExecution", r#"{"queryString":"***OMITTED***","clientRequestToken":"<uuid>","queryExecutionContext":{"database":"<word>"},"resultConfiguration":{},"workGroup":"primary"}"#).changes(r#"{"queryExecutionId":"<uuid>"}"#)),
    (12, &Call::new(Anybody, "iam", "GetRole", r#"{"roleName":"<role>"}"#)),
    (8, &Call::new(Anybody, "iam", "ListAttachedRolePolicies", r#"{"roleName":"<role>"}"#)),
    (5, &Call::new(Anybody, "iam", "ListUsers", r#"{"maxItems":100}"#)),
    (2, &Call::new(Person, "iam", "CreateAccessKey", r#"{"userName":"<user>"}"#).changes(r#"{"accessKey":{"accessKeyId":"AKIA<hex>","status":"Active","userName":"<user>","createDate":"Mar 2, 2026, 8:00:00 AM"}}"#)),
    (2, &Call::new(Person, "iam", "AttachRolePolicy", r#"{"roleName":"<role>","policyArn":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}"#).changes("null")),
    (1, &Call::new(Person, "iam", "CreateUser", r#"{"userName":"<user>","tags":[{"key":"team","value":"<word>"}]}"#).changes(r#"{"user":{"path":"/","userName":"<user>","userId":"AIDA<hex>","arn":"arn:aws:iam::<account>:user/<user>","createDate":"Mar 2, 2026, 8:00:00 AM"}}"#)),
    (1, &Call::new(Person, "iam", "PutUserPolicy", r#"{"userName":"<user>","policyName":"<word>","policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::<bucket>/*\"}]}"}"#).changes("null")),
    (1, &Call::new(Person, "iam", "DeleteUser", r#"{"userName":"<user>"}"#).changes("null").fails(100)),
    (3, &Call::new(Console, "signin", "ConsoleLogin", "null").changes(r#"{"ConsoleLogin":"Success"}"#).also(r#","additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true&state=hashArgsFromTB_<region>_<hex>","MobileVersion":"No","MFAUsed":"Yes"}"#).fails(0)),
];
