"""Values for every template's parameters that CloudFormation takes; made up, and of no account."""

ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/workshop/app@sha256:{'0' * 64}"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
CERTIFICATE = f"arn:aws:acm:us-west-2:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"
OUTPOST = f"arn:aws:outposts:us-west-2:{ACCOUNT}:outpost/op-{'0' * 17}"
SECOND = f"arn:aws:outposts:us-west-2:{ACCOUNT}:outpost/op-{'1' * 17}"
GROUP, SUBNET, VPC = "sg-00000000", "subnet-00000000", "vpc-00000000"

GOOD = {
    "network": {"FirstZone": "us-west-2a", "SecondZone": "us-west-2b", "S3PrefixList": "pl-68a54001"},
    "outposts": {
        "VpcId": VPC,
        "OutpostArn": OUTPOST,
        "OutpostZone": "us-west-2a",
        "LocalGatewayId": "lgw-" + "0" * 17,
        "VirtualInterfaceGroupId": "lgw-vif-grp-" + "0" * 17,
        "FrontGroupId": GROUP,
    },
    "inference": {
        "Site": "local-zone",
        "VpcId": VPC,
        "SubnetIds": SUBNET,
        "ModelFrontGroupId": GROUP,
        "ModelGroupId": GROUP,
        "HostsGroupId": GROUP,
        "Image": IMAGE,
        "CertificateArn": CERTIFICATE,
        "KeyArn": KEY,
    },
    "agents": {
        "Site": "local-zone",
        "VpcId": VPC,
        "SubnetIds": SUBNET,
        "RegionSubnetIds": SUBNET,
        "FrontGroupId": GROUP,
        "AgentsGroupId": GROUP,
        "HostsGroupId": GROUP,
        "AgentImage": IMAGE,
        "ToolsImage": IMAGE,
        "ModelUrl": "https://model.workshop.example.com",
        "DatabaseHost": "db.workshop.example.com",
        "DatabaseSecretArn": f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:workshop/knowledge-abcdef",
        "TokenIssuer": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_abcdefghi",
        "CertificateArn": CERTIFICATE,
        "KeyArn": KEY,
    },
    "knowledge": {
        "Site": "local-zone",
        "Zone": "us-west-2-lax-1a",
        "SubnetIds": SUBNET,
        "KnowledgeGroupId": GROUP,
        "HostsGroupId": GROUP,
        "Image": IMAGE,
        "KeyArn": KEY,
    },
    "agentcore": {"RegionSubnetIds": SUBNET, "OrchestratorGroupId": GROUP, "OrchestratorImage": IMAGE, "KeyArn": KEY},
    "workshop": {
        "BudgetEmail": "instructor@example.com",
        "TemplateBucket": "workshop-templates",
        "FirstZone": "us-west-2a",
        "SecondZone": "us-west-2b",
        "S3PrefixList": "pl-68a54001",
        "LocalZoneGroup": "us-west-2-lax-1",
        "ModelImage": IMAGE,
        "AgentImage": IMAGE,
        "ToolsImage": IMAGE,
        "OrchestratorImage": IMAGE,
        "KnowledgeImage": IMAGE,
        "DomainName": "workshop.example.com",
        "CertificateArn": CERTIFICATE,
    },
}
SECOND_OUTPOST = {
    "SecondOutpostArn": SECOND,
    "SecondOutpostZone": "us-west-2b",
    "SecondLocalGatewayId": "lgw-" + "1" * 17,
    "SecondVirtualInterfaceGroupId": "lgw-vif-grp-" + "1" * 17,
}
