-- The tables of FusionPBX that Hotdesk's rows concern, with the columns that they or the handlers of the test use.
CREATE TABLE v_domains (domain_uuid TEXT, domain_name TEXT);
CREATE TABLE v_dialplans (dialplan_uuid TEXT PRIMARY KEY, domain_uuid TEXT, app_uuid TEXT, dialplan_context TEXT,
  dialplan_name TEXT, dialplan_continue TEXT, dialplan_xml TEXT, dialplan_order NUMERIC, dialplan_enabled TEXT,
  dialplan_description TEXT);
CREATE TABLE v_default_settings (default_setting_uuid TEXT PRIMARY KEY, default_setting_category TEXT,
  default_setting_subcategory TEXT, default_setting_name TEXT, default_setting_value TEXT, default_setting_enabled TEXT);
CREATE TABLE v_domain_settings (domain_setting_category TEXT, domain_setting_subcategory TEXT, domain_setting_value TEXT);
CREATE TABLE v_extensions (extension_uuid TEXT PRIMARY KEY, domain_uuid TEXT, extension TEXT, password TEXT,
  user_context TEXT, toll_allow TEXT, outbound_caller_id_number TEXT, forward_user_not_registered_enabled TEXT,
  enabled TEXT, description TEXT);
CREATE TABLE v_extension_settings (extension_setting_uuid TEXT PRIMARY KEY, domain_uuid TEXT, extension_uuid TEXT,
  extension_setting_type TEXT, extension_setting_name TEXT, extension_setting_value TEXT, extension_setting_enabled TEXT);

INSERT INTO v_domains VALUES ('d-acme', 'pbx.example.com'), ('d-globex', 'globex.test');
INSERT INTO v_default_settings VALUES ('s-dial', 'domain', 'dial_string', 'text',
  '{sip_invite_domain=${domain_name},leg_timeout=${call_timeout},presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}',
  'true');
INSERT INTO v_extensions (extension_uuid, domain_uuid, extension, password, user_context, toll_allow,
  outbound_caller_id_number, enabled) VALUES
  ('a-101', 'd-acme', '101', 'pw-101', 'pbx.example.com', 'international', '0205550101', 'true'),
  ('a-102', 'd-acme', '102', 'pw-102', 'pbx.example.com', NULL, NULL, 'true'),
  ('a-150', 'd-acme', '150', 'pw-150', 'pbx.example.com', NULL, NULL, 'true'),
  ('a-801', 'd-acme', '801', 'pw-801', 'hotdesk@desk', NULL, NULL, 'true'),
  ('a-802', 'd-acme', '802', 'pw-802', 'hotdesk@desk', NULL, '0205559999', 'true'),
  ('g-101', 'd-globex', '101', 'pw-101', 'globex.test', NULL, NULL, 'true'),
  ('g-801', 'd-globex', '801', 'pw-801', 'hotdesk@desk', NULL, NULL, 'true');

INSERT INTO v_dialplans (dialplan_uuid, dialplan_context, dialplan_order, dialplan_enabled, dialplan_xml) VALUES
('user_exists', 'global', 10, 'true', '<extension name="user_exists" continue="true">
  <condition field="${loopback_leg}" expression="^B$" break="never">
    <action application="set" data="domain_name=${context}" inline="true"/>
  </condition>
  <condition field="" expression="">
    <action application="set" data="user_exists=${user_exists id ${destination_number} ${domain_name}}" inline="true"/>
    <action application="set" data="from_user=${sip_from_user}" inline="true"/>
  </condition>
</extension>'),
('emergency', '${domain_name}', 100, 'true', '<extension name="emergency">
  <condition field="${user_exists}" expression="false"/>
  <condition field="destination_number" expression="^(112)$">
    <action application="set" data="effective_caller_id_name=${emergency_caller_id_name}"/>
    <action application="set" data="effective_caller_id_number=${emergency_caller_id_number}"/>
    <action application="bridge" data="user/trunk@hotdesk.test"/>
  </condition>
</extension>'),
('outbound', '${domain_name}', 110, 'true', '<extension name="outbound">
  <condition field="${user_exists}" expression="false"/>
  <condition field="${toll_allow}" expression="international"/>
  <condition field="destination_number" expression="^(00\d+)$">
    <action application="set" data="effective_caller_id_number=${outbound_caller_id_number}"/>
    <action application="bridge" data="{sip_h_X-Account=${extension_uuid}/${from_user}}user/trunk@hotdesk.test"/>
  </condition>
</extension>'),
('ring_group', '${domain_name}', 120, 'true', '<extension name="ring_group">
  <condition field="destination_number" expression="^700$">
    <action application="bridge" data="loopback/101/hotdesk@ring"/>
  </condition>
</extension>'),
('local_extension', 'global', 890, 'true', '<extension name="local_extension">
  <condition field="${user_exists}" expression="true">
    <action application="set" data="hangup_after_bridge=true"/>
    <action application="bridge" data="user/${destination_number}@${domain_name}"/>
  </condition>
</extension>'),
('not_found', 'global', 999, 'true', '<extension name="not_found">
  <condition field="" expression=""><action application="respond" data="404"/></condition>
</extension>'),
('destination', 'public', 100, 'true', '<extension name="destination">
  <condition field="destination_number" expression="^0205550(1\d\d)$">
    <action application="set" data="domain_name=pbx.example.com" inline="true"/>
    <action application="transfer" data="$1 XML pbx.example.com"/>
  </condition>
</extension>');
